"""Draws until enough classes are distinct: compares each way to merge a block with a loop."""

import functools

import numpy as np
import pytest
import tensorflow as tf

from tf_sampled_compat.core.samplers import first_occurrences
from tf_sampled_compat.core.samplers.unique_draws import draw_unique

CLASSES = 12
# Geometric, so that the last class occurs long after the first block.
DRAWN = np.minimum(np.random.RandomState(0).geometric(0.4, 4000) - 1, CLASSES - 1)
MERGES = {
    "hashing": first_occurrences.by_hashing,
    "marking": functools.partial(first_occurrences.by_marking, range_max=CLASSES),
    "sorting": first_occurrences.by_sorting,
}


def by_a_loop(num_sampled):
    """Returns the distinct classes and the number of draws."""
    kept = []
    for position, value in enumerate(DRAWN.tolist()):
        if value not in kept:
            kept.append(value)
        if len(kept) == num_sampled:
            return kept, position + 1


def draw(num_sampled, block_size, jit, most_tries=4000, largest_block=0, sizes=None):
    drawn = tf.constant(DRAWN, tf.int64)

    def block(start, size):
        if sizes is not None:
            sizes.append(size)
        return tf.slice(drawn, [start], [size])

    def call():
        return draw_unique(
            block,
            num_sampled=num_sampled,
            range_max=CLASSES,
            block_size=block_size,
            largest_block=largest_block or block_size,
            most_tries=most_tries,
        )

    return tf.function(call, autograph=False, jit_compile=jit)()


@pytest.mark.parametrize("block_size", [1, 7, 40])
@pytest.mark.parametrize("num_sampled", [1, 5, 12])
@pytest.mark.parametrize(
    "merge, jit", [("hashing", False), ("marking", True), ("sorting", True), ("sorting", False)]
)
def test_each_merge_against_a_loop(merge, jit, num_sampled, block_size, monkeypatch):
    monkeypatch.setattr(first_occurrences, "merge_for", lambda *_: MERGES[merge])
    draws = draw(num_sampled, block_size, jit)
    kept, tries = by_a_loop(num_sampled)
    assert draws.classes.numpy().tolist() == kept and int(draws.num_tries) == tries
    assert bool(draws.complete)


@pytest.mark.parametrize("largest", [4, 32, 1000])
def test_blocks_grow_and_the_draws_stay(largest):
    for jit in (False, True):
        sizes = []
        draws = draw(12, 2, jit, largest_block=largest, sizes=sizes)
        kept, tries = by_a_loop(12)
        assert draws.classes.numpy().tolist() == kept and int(draws.num_tries) == tries
        assert jit == isinstance(sizes[0], int), "static under XLA"
    tf.config.run_functions_eagerly(True)
    try:
        sizes = []
        draw(12, 2, False, largest_block=largest, sizes=sizes)
    finally:
        tf.config.run_functions_eagerly(False)
    sizes = [int(size) for size in sizes]
    assert sizes == [2] + [min(2 * 2**k, largest) for k in range(len(sizes) - 1)]
    assert sum(sizes[:-1]) < tries <= sum(sizes)


@pytest.mark.parametrize("jit", [False, True])
def test_the_merge_of_each_context(jit):
    chosen = []

    def call():
        chosen.extend(first_occurrences.merge_for(10, size) for size in (640, 641))
        return tf.constant(0)

    tf.function(call, autograph=False, jit_compile=jit)()
    names = [getattr(merge, "func", merge).__name__ for merge in chosen]
    assert names == (["by_marking", "by_sorting"] if jit else ["by_hashing"] * 2)


def test_too_few_draws():
    """One draw fewer than needed to find the last class."""
    kept, tries = by_a_loop(12)
    sizes = {"num_sampled": 12, "block_size": 1, "most_tries": tries - 1}
    expected = f"num_sampled: .* no more than {tries - 1} draws find"
    with pytest.raises(tf.errors.InvalidArgumentError, match=expected):
        draw(**sizes, jit=False)
    draws = draw(**sizes, jit=True)
    assert draws.classes.numpy().tolist() == [*kept[:11], -1] and not bool(draws.complete)
