"""The metrics of one row in float64 loops. Imports nothing from the package."""

import math

import numpy as np


def ranking(logits):
    """Returns the class ids, the highest logit first, and among equals the lower id first."""
    return sorted(range(len(logits)), key=lambda c: (-float(logits[c]), c))


def _ranks(logits, true):
    order = ranking(logits)
    return [1 + order.index(c) for c in true]


def recall(logits, true, k):
    return sum(rank <= k for rank in _ranks(logits, true)) / len(true)


def precision(logits, true, k):
    return sum(c in set(true) for c in ranking(logits)[:k]) / k


def ndcg(logits, true, k):
    gain = sum(
        1 / math.log2(place + 2) for place, c in enumerate(ranking(logits)[:k]) if c in set(true)
    )
    return gain / sum(1 / math.log2(place + 2) for place in range(min(k, len(set(true)))))


def average_precision(logits, true, k):
    found, total = 0, 0.0
    for place, c in enumerate(ranking(logits)[:k]):
        if c in set(true):
            found += 1
            total += found / (place + 1)
    return total / min(k, len(set(true)))


def reciprocal_rank(logits, true):
    return 1 / min(_ranks(logits, true))


def mean_rank(logits, true):
    return sum(_ranks(logits, true)) / len(true)


def loss(logits, true):
    logits = [float(z) for z in logits]
    highest = max(logits)
    log_sum = highest + math.log(sum(math.exp(z - highest) for z in logits))
    return log_sum - sum(logits[c] for c in true) / len(true)


def all_metrics(logits, true, weights, k):
    """Returns each metric by its name in the package, over rows without padding.

    Args:
      logits: `[N, C]`.
      true: N lists of class ids. An empty one does not count.
      weights: `[N]`.
      k: The length of the lists.
    """
    rows = [(z, t, w) for z, t, w in zip(logits, true, weights) if len(t) and w]

    def mean(of, *args):
        return np.average([of(z, t, *args) for z, t, _ in rows], weights=[w for *_, w in rows])

    return {
        "ExactRecallAtK": mean(recall, k),
        "ExactPrecisionAtK": mean(precision, k),
        "ExactNDCG": mean(ndcg, k),
        "ExactMAP": mean(average_precision, k),
        "ExactMRR": mean(reciprocal_rank),
        "MeanRank": mean(mean_rank),
        "Perplexity": math.exp(mean(loss)),
    }


def _weighted_mean(values, weights):
    return sum(w * v for w, v in zip(weights, values)) / sum(weights)


def _weighted_ndcg(logits, true, weights, k):
    gains = {}
    for c, w in zip(true, weights):
        gains[c] = max(w, gains.get(c, 0))
    best = sorted(gains.values(), reverse=True)[:k]
    gain = sum(
        gains.get(c, 0) / math.log2(place + 2) for place, c in enumerate(ranking(logits)[:k])
    )
    return gain / sum(w / math.log2(place + 2) for place, w in enumerate(best))


def all_weighted_metrics(logits, true, weights, k):
    """Returns each metric of rows whose true classes have weights.

    Args:
      logits: `[N, C]`.
      true: N lists of class ids.
      weights: N lists of their weights. A class of weight 0 is none.
      k: The length of the lists.
    """
    rows = []
    for z, t, w in zip(logits, true, weights):
        kept = [(c, v) for c, v in zip(t, w) if v]
        if kept:
            rows.append((z, *(list(part) for part in zip(*kept))))

    def mean(of):
        return np.average([of(*row) for row in rows], weights=[np.mean(w) for *_, w in rows])

    return {
        "ExactRecallAtK": mean(
            lambda z, t, w: _weighted_mean([rank <= k for rank in _ranks(z, t)], w)
        ),
        "ExactPrecisionAtK": mean(lambda z, t, _: precision(z, t, k)),
        "ExactNDCG": mean(lambda z, t, w: _weighted_ndcg(z, t, w, k)),
        "ExactMAP": mean(lambda z, t, _: average_precision(z, t, k)),
        "ExactMRR": mean(lambda z, t, _: reciprocal_rank(z, t)),
        "MeanRank": mean(lambda z, t, w: _weighted_mean(_ranks(z, t), w)),
        "Perplexity": math.exp(mean(lambda z, t, w: _weighted_mean([loss(z, [c]) for c in t], w))),
    }
