"""Turns a golden case into its arrays, bit for bit the same on every Python and NumPy.

Only `RandomState.random_sample` (a plain 53-bit uniform) and IEEE arithmetic are used, since other
generators and libm calls may differ in the last bit between NumPy builds. The manifest holds a
hash of each case's arrays, which the generator and the tests compare.
"""

from __future__ import absolute_import, division, print_function

import hashlib
import zlib

import numpy as np

from golden import cases

# The largest |logit| of a "huge" case: exp(60) is far from float32's end, 1 + exp(-60) is 1.
HUGE_LOGIT = 60.0


def arrays(case):
    """Returns the dict of the arrays of a case.

    Keys: `weights` [C, D], `biases` [C], `inputs` [B, D], `upstream` [B] (the gradient that flows
    into the loss), all float32; `labels` [B, T] int64; and, unless an op draws the negatives,
    `sampled` [S] int64, `true_expected_count` [B, T] and `sampled_expected_count` [S], float32.
    """
    seed = zlib.crc32(case.name.encode("ascii")) & 0x7FFFFFFF
    uniform = np.random.RandomState(seed).random_sample
    classes, dim, batch = case.num_classes, case.dim, case.batch
    weights = 2.0 * uniform((classes, dim)) - 1.0
    biases = uniform(classes) - 0.5
    inputs = 2.0 * uniform((batch, dim)) - 1.0
    if case.logits == "huge":
        scale = _scale_to_huge(weights, biases, inputs)
        weights, biases = weights * scale, biases * scale
    result = {
        "weights": weights.astype(np.float32),
        "biases": biases.astype(np.float32),
        "inputs": inputs.astype(np.float32),
        "labels": _labels(case, uniform),
        "upstream": (0.5 + uniform(batch)).astype(np.float32) * _signs(batch),
    }
    if not cases.is_drawn(case):
        result.update(_sampled_values(case, result["labels"], uniform))
    return result


def pieces(case, table):
    """Cuts a logical table (or biases) into the pieces that the case's variables hold.

    The first C % n pieces are one longer, as TensorFlow wants for "div" and "mod" alike. A
    PartitionedVariable always cuts contiguously; a list is cut so that the strategy finds every
    class where it looks, whatever the strategy.
    """
    return [table[rows] for rows in piece_rows(case)]


def piece_rows(case):
    """Returns, per piece, the rows of the logical table that it holds."""
    rows = np.arange(case.num_classes)
    if case.table == "list" and case.partition_strategy == "mod":
        return [rows[start :: case.shards] for start in range(case.shards)]
    return np.array_split(rows, case.shards)


def unigrams(case):
    """Returns the weights for fixed_unigram_candidate_sampler: uneven, none of them zero."""
    return [1.0 + (5 * i) % 7 for i in range(case.num_classes)]


def has_hit(labels, sampled):
    """Returns True if some sampled id equals some label, so that there are hits to remove."""
    return bool(np.isin(np.asarray(labels).ravel(), np.asarray(sampled)).any())


def fingerprint(case):
    """Returns a SHA-256 (its first 16 digits) of the arrays of a case, which must never drift."""
    digest = hashlib.sha256()
    for name, array in sorted(arrays(case).items()):
        header = "%s %s %s" % (name, array.dtype.str, "x".join(str(int(n)) for n in array.shape))
        digest.update(header.encode("ascii") + np.ascontiguousarray(array).tobytes())
    return digest.hexdigest()[:16]


def _scale_to_huge(weights, biases, inputs):
    largest = max(
        abs(sum(float(w) * float(x) for w, x in zip(row, example)) + float(bias))
        for row, bias in zip(weights, biases)
        for example in inputs
    )
    return HUGE_LOGIT / largest


def _signs(batch):
    return np.where(np.arange(batch) % 3 == 1, -1.0, 1.0).astype(np.float32)


def _labels(case, uniform):
    labels = np.floor(uniform((case.batch, case.num_true)) * case.num_classes).astype(np.int64)
    if case.labels == "twice":
        labels[:, 1] = labels[:, 0]
    return labels


def _sampled_values(case, labels, uniform):
    if case.negatives == cases.REPEATED:
        sampled = _repeated_ids(case, labels, uniform)
    else:
        sampled = _distinct_ids(case, labels, uniform)
    shape = (case.batch, case.num_true)
    if case.counts == "positional":
        true_count, sampled_count = _near(uniform(shape)), _near(uniform(case.num_sampled))
    else:
        per_class = uniform(case.num_classes)
        per_class = _wide(per_class) if case.counts == "wide" else _near(per_class)
        if case.counts == "wide":
            per_class[sampled[0]], per_class[sampled[-1]] = 1e-6, 1.0
        true_count, sampled_count = per_class[labels], per_class[sampled]
    return {
        "sampled": sampled,
        "true_expected_count": true_count.astype(np.float32),
        "sampled_expected_count": sampled_count.astype(np.float32),
    }


def _near(uniform_values):
    return 0.05 + 0.95 * uniform_values


def _wide(uniform_values):
    """Spreads uniform values over the decades 1e-6 .. 1 without calling pow."""
    decade = np.floor(uniform_values * 6.0)
    within = uniform_values * 6.0 - decade
    powers = np.array([1e-6, 1e-5, 1e-4, 1e-3, 1e-2, 1e-1])
    return powers[decade.astype(np.int64)] * (1.0 + 9.0 * within)


def _distinct_ids(case, labels, uniform):
    """S different ids in random order; if hits are to be removed, labels are among them."""
    order = np.argsort(uniform(case.num_classes), kind="mergesort")
    if case.remove_accidental_hits:
        forced = sorted({int(labels[0, 0]), int(labels[-1, -1])})[: case.num_sampled]
        order = np.concatenate([forced, order[~np.isin(order, forced)]])
    chosen = order[: case.num_sampled]
    return chosen[np.argsort(uniform(case.num_sampled), kind="mergesort")].astype(np.int64)


def _repeated_ids(case, labels, uniform):
    """Ids drawn with replacement, in which one label surely occurs three times, not in a row."""
    sampled = np.floor(uniform(case.num_sampled) * case.num_classes).astype(np.int64)
    sampled[[0, 2, 3]] = labels[0, 0]
    return sampled
