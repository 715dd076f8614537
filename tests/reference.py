"""The losses as naive float64 loops: the truth for every implementation.

Imports nothing from the package or TensorFlow.
"""

import numpy as np


def logits(weights, biases, labels, inputs, sampled, true_count, sampled_count, remove_hits):
    """Returns `[B, T + S]` corrected logits; -inf where an accidental hit was removed."""
    weights, biases, inputs = (np.asarray(a, np.float64) for a in (weights, biases, inputs))
    batch, num_true = labels.shape
    true_count = np.broadcast_to(np.asarray(true_count, np.float64), labels.shape)
    sampled_count = np.broadcast_to(np.asarray(sampled_count, np.float64), (batch, len(sampled)))
    last_position = {int(c): s for s, c in enumerate(sampled)}
    result = np.zeros((batch, num_true + len(sampled)))
    for i in range(batch):
        for t, c in enumerate(labels[i]):
            result[i, t] = weights[c] @ inputs[i] + biases[c] - np.log(true_count[i, t])
        for s, c in enumerate(sampled):
            hit = remove_hits and c in labels[i] and last_position[int(c)] == s
            corrected = weights[c] @ inputs[i] + biases[c] - np.log(sampled_count[i, s])
            result[i, num_true + s] = -np.inf if hit else corrected
    return result


def softmax_loss(logits, num_true):
    """Returns `[B]` losses and their `[B, T + S]` gradients for the logits."""
    largest = logits.max(axis=1, keepdims=True)
    exps = np.exp(logits - largest)
    total = exps.sum(axis=1, keepdims=True)
    loss = largest[:, 0] + np.log(total[:, 0]) - logits[:, :num_true].mean(axis=1)
    gradient = exps / total
    gradient[:, :num_true] -= 1.0 / num_true
    return loss, gradient


def nce_loss(logits, num_true):
    """Returns `[B]` losses and their `[B, T + S]` gradients for the logits."""
    targets = np.zeros_like(logits)
    targets[:, :num_true] = 1.0 / num_true
    finite = np.where(np.isfinite(logits), logits, 0.0)
    losses = np.maximum(finite, 0) - finite * targets + np.log1p(np.exp(-np.abs(finite)))
    losses[~np.isfinite(logits)] = 0.0
    with np.errstate(over="ignore"):
        gradient = 1.0 / (1.0 + np.exp(-logits)) - targets
    return losses.sum(axis=1), gradient


def gradients(weights, labels, inputs, sampled, logits_gradient, upstream):
    """Turns a gradient by the logits into dense ones by weights, biases and inputs."""
    weights, inputs = np.asarray(weights, np.float64), np.asarray(inputs, np.float64)
    batch, num_true = labels.shape
    d_weights, d_biases = np.zeros_like(weights), np.zeros(len(weights))
    d_inputs = np.zeros_like(inputs)
    for i in range(batch):
        for column, c in enumerate([*labels[i], *sampled]):
            g = logits_gradient[i, column] * upstream[i]
            d_weights[c] += g * inputs[i]
            d_biases[c] += g
            d_inputs[i] += g * weights[c]
    return d_weights, d_biases, d_inputs


def evaluate(loss, problem, remove_hits):
    """Returns `(loss, d_weights, d_biases, d_inputs)` of a problem (see `problems.Problem`)."""
    p = problem
    values = logits(
        p.weights, p.biases, p.labels, p.inputs, p.sampled, p.true_count, p.sampled_count,
        remove_hits,
    )  # fmt: skip
    losses, gradient = loss(values, p.labels.shape[1])
    return losses, *gradients(p.weights, p.labels, p.inputs, p.sampled, gradient, p.upstream)


def in_batch_loss(queries, candidates, ids, counts, temperature, present, upstream):
    """Returns in-batch losses and the gradients of their sum, weighted by `upstream`.

    Args:
      queries: `[B, D]`.
      candidates: `[N, D]`, N >= B: the i-th is the i-th query's own.
      ids: `[N]`: what the candidates are; other copies of a row's own are no negatives.
      counts: `[N]`: the expected counts.
      temperature: A number.
      present: `[N]` booleans: False for a candidate, and a query, that is padding.
      upstream: `[B]`.

    Returns:
      `[B]` losses, and the gradients by queries, candidates and temperature.
    """
    queries, candidates = np.asarray(queries, np.float64), np.asarray(candidates, np.float64)
    losses, d_temperature = np.zeros(len(queries)), 0.0
    d_queries, d_candidates = np.zeros_like(queries), np.zeros_like(candidates)
    for i, query in enumerate(queries):
        if not present[i]:
            continue
        others = [j for j in range(len(candidates)) if present[j] and ids[j] != ids[i]]
        columns = [i, *others]
        dots = np.array([query @ candidates[j] for j in columns])
        corrected = dots / temperature - np.log(np.asarray(counts, np.float64)[columns])
        (losses[i],), gradient = softmax_loss(corrected[None, :], 1)
        for j, dot, g in zip(columns, dots, gradient[0] * upstream[i]):
            d_queries[i] += g * candidates[j] / temperature
            d_candidates[j] += g * query / temperature
            d_temperature -= g * dot / temperature**2
    return losses, d_queries, d_candidates, d_temperature
