"""Draws that go on where an earlier run ended, and what they refuse."""

import numpy as np
import pytest
import tensorflow as tf

PIECE = 2**22
CUMULATIVE = [2**40, 2**40, 2**40 + 3, 2**41, 2**41 + 2**18]
LAWS = {
    "uniform": {"range_max": 5},
    "log_uniform": {"range_max": 5, "log2_range": int(np.floor(np.log2(6) * 2.0**56))},
    "weighted": {"range_max": 5, "cumulative": CUMULATIVE},
}


def piece(ops, law="uniform", kept=(), num_tries=0, num_sampled=4, unique=True, **changed):
    options = {"log2_range": 0, "cumulative": (), "seed": [3, 4], **LAWS[law], **changed}
    for name in ("seed", "cumulative"):
        options[name] = tf.constant(options[name], tf.int64)
    return ops.sampled_compat_draws_piece(
        law=law, kept=tf.constant(kept, tf.int64), num_tries=num_tries, num_sampled=num_sampled,
        unique=unique, **options,
    )  # fmt: skip


def by_words(law, ops, count):
    """The law's draws, one for each word."""
    return piece(ops, law, num_sampled=count, unique=False).classes.numpy()


@pytest.mark.parametrize("law", ["uniform", "log_uniform"])
@pytest.mark.parametrize("unique", [True, False])
def test_one_piece_is_a_whole_draw(ops, law, unique):
    options = {"log2_range": 0, **LAWS[law], "law": law, "num_sampled": 4, "unique": unique}
    whole = ops.sampled_compat_stateless_draws(seed=[3, 4], **options)
    one = piece(ops, law, unique=unique)
    assert np.array_equal(one.classes, whole.classes) and one.tries == whole.num_tries


def test_weighted_draws_are_the_places_of_words_among_the_sums(ops):
    words = piece(ops, num_sampled=1000, unique=False, range_max=2**53).classes.numpy()
    places = np.searchsorted(CUMULATIVE, [int(w) * CUMULATIVE[-1] >> 53 for w in words], "right")
    drawn = by_words("weighted", ops, 1000)
    # A word holds nine bits more than were looked at.
    assert np.mean(places == drawn) > 0.99 and set(drawn) == {0, 3}


@pytest.mark.parametrize("law", LAWS)
def test_a_draw_goes_on_from_any_even_word(ops, law):
    drawn = by_words(law, ops, 64)
    for start in (0, 2, 10, 30):
        assert np.array_equal(
            piece(ops, law, num_tries=start, num_sampled=34, unique=False).classes,
            drawn[start : start + 34],
        )
        kept = list(dict.fromkeys(drawn[:start].tolist()))[:2]
        later = piece(ops, law, kept, start, num_sampled=2)
        wanted = list(dict.fromkeys(kept + drawn[start:].tolist()))[:2]
        assert later.classes.numpy().tolist() == wanted
        if len(kept) == 2:
            assert later.tries == start


def test_a_piece_ends_and_says_how_far_it_came(ops):
    """The last class comes up once in 2**23 draws, and one class never."""
    kept, tries, pieces = [], 0, 0
    while len(kept) < 3:
        out = piece(ops, "weighted", kept, tries, num_sampled=3, seed=[6, 4])
        kept, tries = (x.numpy() for x in out)
        pieces += 1
        assert tries == pieces * PIECE or len(kept) == 3
    assert pieces > 1 and sorted(kept) == [0, 3, 4] and kept[-1] == 4


def test_what_a_whole_draw_needs_more_tries_for(ops):
    options = {"law": "uniform", "unique": True, "log2_range": 0}
    with pytest.raises(tf.errors.InvalidArgumentError, match=f"no more classes than {PIECE} draws"):
        ops.sampled_compat_stateless_draws(
            seed=[1, 2], num_sampled=PIECE + 1, range_max=2**40, **options
        )


@pytest.mark.parametrize(
    "changed, named",
    [
        ({"seed": [1]}, "seed must have shape"),
        ({"kept": [[1]]}, "kept must have shape"),
        ({"kept": [0, 1, 2, 3, 4]}, "kept must hold at most 4 classes, got 5"),
        ({"kept": [0], "unique": False}, "kept must hold at most 0 classes, got 1"),
        ({"kept": [5]}, r"kept must hold classes in \[0, 5\), got 5"),
        ({"kept": [-1]}, "kept must hold classes"),
        ({"num_tries": 1}, "num_tries must be an even number"),
        ({"num_tries": -2}, "num_tries must be"),
        ({"num_tries": 2**62 + 2}, "num_tries must be"),
        ({"num_tries": [0]}, "num_tries must have shape"),
        ({"num_sampled": 6}, "num_sampled must be at most range_max = 5"),
        ({"num_sampled": PIECE + 1, "unique": False}, f"num_sampled must be at most {PIECE} in"),
        ({"range_max": 2**53 + 1}, "range_max must be at most"),
        ({"cumulative": 1}, "cumulative must have shape"),
        ({"law": "weighted", "cumulative": [1]}, "cumulative must have shape"),
        ({"law": "weighted", "cumulative": [0] * 5}, "cumulative must end with a number in"),
        ({"law": "weighted", "cumulative": [1, 2, 3, 4, 2**61 + 1]}, "cumulative must end"),
        ({"law": "weighted", "cumulative": [1, 2, 3, 4, -5]}, "cumulative must end"),
        ({"law": "log_uniform", "log2_range": 0}, "log2_range must be"),
    ],
)
def test_refusals(ops, changed, named):
    with pytest.raises(tf.errors.InvalidArgumentError, match=named):
        piece(ops, **changed)


def test_sums_that_do_not_ascend_give_some_classes(ops):
    for cumulative in ([9, -3, 2**61, 0, 7], [2**63 - 1] * 4 + [1], [-(2**63)] * 4 + [2**61]):
        for unique, num_sampled in ((False, 1000), (True, 5)):
            drawn = piece(
                ops, "weighted", cumulative=cumulative, unique=unique, num_sampled=num_sampled
            ).classes.numpy()
            assert ((drawn >= 0) & (drawn < 5)).all()
