"""The audits of `doctor --audit`: TensorFlow's samplers and this package's."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import Any, Callable

import numpy as np
import tensorflow as tf

from tf_sampled_compat import random
from tf_sampled_compat.audit.report import AuditReport

_CLASSES = 1000
_WEIGHTS = 1.0 / np.arange(1, _CLASSES + 1)


def reports(num_calls: int = 400) -> Iterator[AuditReport]:
    """Audits one sampler after another.

    Leaves out `all_candidate_sampler`, which draws nothing.
    """
    for name, sampler, options in _samplers():
        yield random.audit(sampler, range_max=_CLASSES, num_calls=num_calls, name=name, **options)


def _samplers() -> Iterator[tuple[str, Callable[..., Any], dict[str, Any]]]:
    unigrams = {"unigrams": _WEIGHTS.tolist()}
    for kind in ("uniform", "log_uniform", "learned_unigram", "fixed_unigram"):
        name = f"{kind}_candidate_sampler"
        sampler = getattr(tf.random, name)
        more = unigrams if kind == "fixed_unigram" else {}
        yield f"tf.random.{name}", functools.partial(sampler, **more), {}
    for name in random.__all__:
        if not name.startswith("stateless_"):
            continue
        more = unigrams if "fixed" in name else {}
        if "learned" in name:
            more = {"counts": np.int64(1000 * _WEIGHTS) + 1}
        sampler = functools.partial(getattr(random, name), **more)
        yield f"tsc.random.{name}", sampler, {"stateless": True}
    learned = random.LearnedUnigramSampler(_CLASSES, seed=1)
    decaying = random.LearnedUnigramSampler(_CLASSES, seed=1, decay=0.99)
    mixed = random.MixtureSampler([(tf.random.log_uniform_candidate_sampler, 60), (learned, 40)])
    yield "tsc.random.LearnedUnigramSampler", learned, {}
    yield "tsc.random.MixtureSampler", mixed, {"unique": False}
    yield "tsc.random.LearnedUnigramSampler(decay=0.99)", decaying, {}
