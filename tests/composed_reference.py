"""The losses of all terms as naive float64 loops.

Imports nothing from the package or TensorFlow.
"""

import itertools
import math

import numpy as np


def unit(vector):
    return vector / max(math.sqrt(sum(x * x for x in vector)), 1e-12)


def arc_face(m):
    def change(q):
        angle = math.acos(min(max(q, -1 + 1e-7), 1 - 1e-7))
        return math.cos(angle + m) if angle <= math.pi - m else q - m * math.sin(m)

    return change


def cos_face(m):
    return lambda q: q - m


def entropy(target, logit):
    """The binary cross entropy of a logit."""
    return np.logaddexp(0, logit) - target * logit


def log_sum(values):
    return np.logaddexp.reduce(values) if len(values) else -math.inf


def sampled(
    kind, weights, biases, labels, inputs, sampled, true_count, sampled_count, *, hits="none",
    mask=None, temperature=1.0, normalize=False, margin=None, label_weights=None,
    part_weights=None, label_smoothing=0.0, z_loss=0.0,
):  # fmt: skip
    """Returns `[B]` losses.

    Args:
      kind: "softmax" or "sigmoid".
      weights: As all arrays, of the losses.
      hits: "none" keeps the candidates that are true classes; "last" drops the last copy; "all"
        drops every copy and adjusts the counts, as `exclude_true` does.
    """
    losses = []
    shape = len(labels), len(sampled)
    sampled_count = np.broadcast_to(np.asarray(sampled_count, np.float64), shape)
    for i, x in enumerate(np.asarray(inputs, np.float64)):
        there = [t for t in range(labels.shape[1]) if mask is None or mask[i, t]]
        true = [int(labels[i, t]) for t in there]
        x = unit(x) if normalize else x

        def raw(c, x=x):
            row = unit(weights[c]) if normalize else weights[c]
            return sum(a * b for a, b in zip(row, x))

        z = lambda c: (raw(c) + biases[c]) / temperature  # noqa: E731
        E_true = [float(true_count[i, t]) for t in there]
        S = len(sampled)
        last = {int(c): s for s, c in enumerate(sampled)}
        if hits == "all":
            left = [s for s in range(S) if int(sampled[s]) not in true]
        else:
            left = [
                s for s in range(S)
                if not (hits == "last" and int(sampled[s]) in true and last[int(sampled[s])] == s)
            ]  # fmt: skip
        growth = 1.0
        if hits == "all":
            expected = S - sum(dict(zip(true, E_true)).values())
            growth = len(left) / expected if left and expected > 1e-6 * S else 1.0
            if kind == "softmax":
                E_true = [1.0] * len(true)
        negatives = [z(sampled[s]) - math.log(sampled_count[i, s] * growth) for s in left]
        change = margin or (lambda q: q)
        l = [
            (change(raw(c)) + biases[c]) / temperature - math.log(e) for c, e in zip(true, E_true)
        ]  # fmt: skip
        if label_weights is None:
            a = [1 / max(len(true), 1)] * len(true)
        else:
            a = [label_weights[i, t] for t in there]
        p = [1.0] * len(true) if part_weights is None else [part_weights[i, t] for t in there]
        if kind == "sigmoid":
            targets = [y * (1 - label_smoothing) + label_smoothing / 2 for y in a]
            losses.append(
                sum(w * entropy(y, value) for w, y, value in zip(p, targets, l))
                + sum(entropy(label_smoothing / 2, value) for value in negatives)
            )
            continue
        if not true:
            losses.append(0.0)
            continue
        N = log_sum(negatives)
        L = log_sum([N, *l])
        shares = 1 / sampled_count[i]
        mean = sum(share * z(c) for share, c in zip(shares, sampled)) / sum(shares)
        loss = sum(w * y * (L - value) for w, y, value in zip(p, a, l))
        loss += label_smoothing * sum(w * y * (z(c) - mean) for w, y, c in zip(p, a, true))
        loss += z_loss * log_sum([N, *map(z, true)]) ** 2
        losses.append(loss)
    return np.array(losses)


def full(
    kind, weights, biases, labels, inputs, *, mask=None, temperature=1.0, normalize=False,
    margin=None, label_weights=None, part_weights=None, label_smoothing=0.0, z_loss=0.0,
):  # fmt: skip
    """Returns `[B]` losses over all classes. Part weights multiply the losses of true classes."""
    losses = []
    for i, x in enumerate(np.asarray(inputs, np.float64)):
        x = unit(x) if normalize else x
        rows = [unit(row) if normalize else row for row in np.asarray(weights, np.float64)]
        raw = [sum(row * x) for row in rows]
        z = [(r + b) / temperature for r, b in zip(raw, biases)]
        there = [t for t in range(labels.shape[1]) if mask is None or mask[i, t]]
        true = [int(labels[i, t]) for t in there]
        p = [1.0] * len(true) if part_weights is None else [part_weights[i, t] for t in there]
        if label_weights is None:
            a = [1 / max(len(true), 1)] * len(true)
        else:
            a = [label_weights[i, t] for t in there]
        if kind == "sigmoid":
            pairs = list(zip(true, a, p))
            if part_weights is None:  # A class that is twice in a row is one class.
                pairs = [(c, sum(y for d, y in zip(true, a) if d == c), 1.0) for c in set(true)]
            others = [value for c, value in enumerate(z) if c not in true]
            losses.append(
                sum(
                    w * entropy(y * (1 - label_smoothing) + label_smoothing / 2, z[c])
                    for c, y, w in pairs
                )
                + sum(entropy(label_smoothing / 2, value) for value in others)
            )
            continue
        if not true:
            losses.append(0.0)
            continue
        l = list(z)
        for c in set(true):
            l[c] = ((margin or (lambda q: q))(raw[c]) + biases[c]) / temperature
        L, mean = log_sum(l), sum(z) / len(z)
        loss = sum(w * y * (L - l[c]) for w, y, c in zip(p, a, true))
        loss += label_smoothing * sum(w * y * (z[c] - mean) for w, y, c in zip(p, a, true))
        losses.append(loss + z_loss * log_sum(z) ** 2)
    return np.array(losses)


def gradients(loss, arrays, upstream, step=1e-5):
    """Returns the gradients of Σ upstream · loss(*arrays) by central differences."""
    found = []
    for number, array in enumerate(arrays):
        gradient = np.zeros(np.shape(array))
        for place in itertools.product(*map(range, np.shape(array))):
            total = 0.0
            for sign in (1, -1):
                moved = [np.array(a, np.float64) for a in arrays]
                moved[number][place] += sign * step
                total += sign * float(np.sum(upstream * loss(*moved)))
            gradient[place] = total / (2 * step)
        found.append(gradient)
    return found
