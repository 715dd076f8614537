"""Candidate samplers: invalid weights, invalid ranges, and draws that never end."""

import pathlib
import tempfile

from tests.bad_input import facts
from tests.bad_input.case import (
    BOTH,
    Case,
    EqualsTensorFlow,
    LikeTensorFlow,
    Raises,
    arrays,
    namespace,
)

LABELS = {"labels": arrays()["labels"] % 2}  # in every range below
TWO = [0.0, 1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 0.0, 0.0, 0.0]


def sampler(kind, api="nn", num_sampled=3, unique=True, range_max=10, **options):
    """Returns a call of a sampler, with weights from a vocabulary file if `words` are given."""

    def call(root, t):
        arguments = {"num_true": 1, "num_sampled": num_sampled, "unique": unique, **options}
        if kind != "all":
            arguments["range_max"] = range_max
        words = arguments.pop("words", None)
        function = getattr(namespace(root, api), f"{kind}_candidate_sampler")
        if words is None:
            return function(t["labels"], seed=3, **arguments)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "vocabulary.csv")
            path.write_text("".join(f"word{i},{w}\n" for i, w in enumerate(words)))
            return function(t["labels"], seed=3, vocab_file=str(path), **arguments)

    return call


def case(name, fact, expect, modes=None, **options):
    call = sampler(**options)
    return Case(f"{name}-{options.get('api', 'nn')}", fact, LABELS, call, call, expect, modes)


def too_few_weights():
    def fixed_unigram(name, number, **options):
        for api in ("nn", "random", "compat.v1.nn", "compat.v0.nn"):
            yield case(
                f"fixed_unigram_{name}",
                facts.UNIGRAM_HANG,
                Raises(BOTH, ("num_sampled", f"at most {number}", "non-zero", "unique", "got 3")),
                kind="fixed_unigram",
                api=api,
                **options,
            )

    yield from fixed_unigram("two_weights", 2, unigrams=TWO)
    yield from fixed_unigram("no_weight", 0, unigrams=[0.0] * 10)
    yield from fixed_unigram("vocabulary", 2, words=TWO)
    yield from fixed_unigram("reserved", 2, unigrams=[1.0] * 2, num_reserved_ids=8)
    # A shard too needs range_max weights.
    yield from fixed_unigram("shard", 1, unigrams=TWO, num_shards=2, shard=1, range_max=5)
    yield from fixed_unigram(
        "shard_of_zeros", 0, unigrams=TWO[:9] + [1.0], num_shards=5, shard=2, range_max=2
    )
    yield from fixed_unigram("no_distortion", 2, unigrams=[1.0] * 2, num_reserved_ids=8,
                             distortion=0.0)  # fmt: skip


def weights():
    for name, value in (("negative", -1.0), ("nan", float("nan")), ("inf", float("inf"))):
        for source in ("unigrams", "words"):
            words = (
                "vocab_file" if source == "words" else "unigrams",
                "not negative",
                f"(?i){value}",
            )
            yield case(
                f"fixed_unigram_{name}_{source}",
                facts.UNIGRAM_NEGATIVE,
                Raises(BOTH, words),
                kind="fixed_unigram",
                **{source: [*TWO[:9], value]},
            )
    # 1e-30 squared is 0 in float32, so these classes have no weight in TensorFlow.
    yield case(
        "fixed_unigram_underflow",
        facts.UNIGRAM_HANG,
        Raises(BOTH, ("num_sampled", "at most 2", "non-zero", "unique", "got 3")),
        kind="fixed_unigram",
        unigrams=[1.0, 1.0] + [1e-30] * 8,
        distortion=2.0,
    )
    yield case(
        "fixed_unigram_overflow",
        facts.UNIGRAM_NEGATIVE,
        Raises(BOTH, ("unigrams", "finite")),
        kind="fixed_unigram",
        unigrams=[1e30] * 10,
        distortion=2.0,
    )
    yield case(
        "fixed_unigram_zero_to_a_negative_power",
        facts.UNIGRAM_NEGATIVE,
        Raises(BOTH, ("unigrams", "finite")),
        kind="fixed_unigram",
        unigrams=TWO,
        distortion=-1.0,
    )
    works = {
        "enough": {"num_sampled": 2, "unigrams": TWO},
        "not_unique": {"unique": False, "unigrams": TWO},
        "zeros_undistorted": {"num_sampled": 10, "unigrams": TWO, "distortion": 0.0},
        "last_shard": {
            "num_sampled": 2,
            "unigrams": [1.0] * 10,
            "num_shards": 5,
            "shard": 4,
            "range_max": 2,
        },
        "reserved_enough": {"num_sampled": 2, "unigrams": [1.0, 1.0], "num_reserved_ids": 8},
        "vocabulary_enough": {"num_sampled": 2, "words": TWO},
    }
    for name, options in works.items():
        yield case(
            f"fixed_unigram_{name}",
            facts.UNIGRAM_HANG,
            EqualsTensorFlow(),
            # A v1 graph reads the vocabulary when it runs; then its folder no longer exists.
            modes=("eager",) if "words" in options else None,
            kind="fixed_unigram",
            **options,
        )


def sizes():
    many = {"fixed_unigram": {"unigrams": [1.0] * 10}}
    for kind in ("log_uniform", "uniform", "learned_unigram", "fixed_unigram"):
        api = "random" if kind in ("log_uniform", "uniform") else "nn"
        options = {"kind": kind, "api": api, **many.get(kind, {})}
        yield case(
            f"{kind}_too_many",
            facts.TOO_MANY_SAMPLES,
            LikeTensorFlow(("num_sampled|[Ss]ampler's range is too small",)),
            **{**options, "num_sampled": 11},
        )
        for argument, value in (("num_sampled", 0), ("num_sampled", -1), ("range_max", 0)):
            yield case(
                f"{kind}_{argument}_{value}",
                facts.NOT_POSITIVE,
                LikeTensorFlow((argument, "(at least|less than) (minimum )?1", str(value))),
                **{**options, argument: value},
            )
        yield case(
            f"{kind}_num_true_0",
            facts.NOT_POSITIVE,
            LikeTensorFlow(("num_true", "(at least|less than) (minimum )?1", "0")),
            **{**options, "num_true": 0},
        )
        yield case(
            f"{kind}_num_true_2",
            facts.LABELS_WIDTH,
            LikeTensorFlow(("num_true|true_classes", "2")),
            **{**options, "num_true": 2},
        )
    for weights in (9, 11):
        yield case(
            f"fixed_unigram_{weights}_weights_for_10_classes",
            facts.UNIGRAM_HANG,
            LikeTensorFlow(("unigrams|range_max|range|vocab", "10|size")),
            kind="fixed_unigram",
            unigrams=[1.0] * weights,
        )
    yield case(
        "fixed_unigram_no_weights",
        facts.UNIGRAM_HANG,
        LikeTensorFlow(("unigrams|vocab",)),
        kind="fixed_unigram",
    )
    yield case(
        "fixed_unigram_missing_vocabulary",
        facts.UNIGRAM_HANG,
        LikeTensorFlow(("nowhere",)),
        kind="fixed_unigram",
        vocab_file="/nowhere/at/all",
    )
    for api in ("nn", "random", "compat.v1.nn", "compat.v0.nn"):
        yield case(
            "learned_unigram_range",
            facts.LEARNED_RANGE,
            Raises(BOTH, ("range_max", "at most", "2000000000")),
            kind="learned_unigram",
            api=api,
            range_max=2 * 10**9,
        )


CASES = [*too_few_weights(), *weights(), *sizes()]
