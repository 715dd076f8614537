"""num_sampled, num_classes, num_true, and TAPAS's sizes and temperature."""

import numpy as np

from tests.bad_input import facts
from tests.bad_input.case import (
    BOTH,
    NCE,
    RANK,
    SOFTMAX,
    TWINNED,
    C,
    EqualsTensorFlow,
    LikeTensorFlow,
    Raises,
    Variable,
    Works,
    arrays,
    fixed,
    of_losses,
)

TRACED = ("function", "function_unknown", "graph", "graph_unknown")
SIZES = {
    "num_sampled_0": {"num_sampled": 0},
    "num_sampled_-1": {"num_sampled": -1},
    "num_classes_0": {"num_classes": 0},
    "num_classes_-1": {"num_classes": -1},
    "num_true_0": {"num_true": 0},
    "num_true_-1": {"num_true": -1},
}


def not_positive():
    for name, option in SIZES.items():
        (argument, value), = option.items()  # fmt: skip
        losses = (SOFTMAX, NCE) if argument == "num_true" else TWINNED
        yield from of_losses(
            name,
            facts.NOT_POSITIVE,
            LikeTensorFlow((argument, "at least 1", str(value))),
            arrays(),
            losses,
            **option,
        )
        # TAPAS compares its sizes first, as TF 1.15 does.
        yield from of_losses(
            name,
            facts.NOT_POSITIVE,
            Raises(
                BOTH, (r"num_sampled|num_classes|num_true", "at least|at most|less", str(value))
            ),
            arrays(),
            (RANK,),
            **option,
        )
    for name, option in (("num_true_0", {"num_true": 0}), ("num_true_-1", {"num_true": -1})):
        yield from of_losses(
            f"{name}_fixed",
            facts.NOT_POSITIVE,
            LikeTensorFlow(("num_true", "at least 1")),
            arrays(sampled_values=fixed()),
            (SOFTMAX, NCE),
            **option,
        )


def not_integers():
    for argument in ("num_sampled", "num_classes", "num_true"):
        losses = (SOFTMAX, NCE) if argument == "num_true" else TWINNED
        for name, value in (("half", 1.5), ("string", "one"), ("none", None)):
            words = (argument, "integer", repr(value))
            # TensorFlow truncates 1.5 to 1 where it is only an attribute, and raises elsewhere.
            like_both = Raises((*BOTH, "TypeError"), words)
            yield from of_losses(
                f"{argument}_{name}",
                facts.NOT_POSITIVE,
                like_both if value == 1.5 else LikeTensorFlow(words),
                arrays(),
                losses,
                **{argument: value},
            )
    yield from of_losses(
        "num_sampled_numpy",
        facts.NOT_POSITIVE,
        EqualsTensorFlow(),
        arrays(),
        (SOFTMAX,),
        num_sampled=np.int32(5),
        seed=3,
    )


def tensors_as_sizes():
    # TensorFlow reads the number from an eager tensor.
    for name, modes, expect in (
        ("eager", ("eager",), EqualsTensorFlow()),
        ("traced", TRACED, LikeTensorFlow(("num_sampled", "int"))),
    ):
        yield from of_losses(
            f"num_sampled_tensor_{name}",
            facts.NOT_POSITIVE,
            expect,
            arrays(num_sampled=np.int32(5)),
            TWINNED,
            modes=modes,
        )
    yield from of_losses(
        "num_sampled_tensor_fixed",
        facts.NOT_POSITIVE,
        EqualsTensorFlow(),
        arrays(num_sampled=np.int32(5), sampled_values=fixed()),
        TWINNED,
    )


def too_many():
    yield from of_losses(
        "num_sampled_over_num_classes",
        facts.TOO_MANY_SAMPLES,
        LikeTensorFlow(("num_sampled|[Ss]ampler's range is too small",)),
        arrays(),
        TWINNED,
        num_sampled=C + 1,
    )
    yield from of_losses(
        "tapas_num_sampled_over_num_classes",
        facts.TAPAS,
        Raises(("ValueError",), ("num_sampled", "num_classes = 50", "51")),
        arrays(),
        (RANK,),
        num_sampled=C + 1,
    )
    for num_resampled in (5, 6):
        yield from of_losses(
            f"tapas_num_resampled_{num_resampled}",
            facts.TAPAS,
            Raises(("ValueError",), ("num_resampled", "num_sampled = 5", str(num_resampled))),
            arrays(),
            (RANK,),
            num_resampled=num_resampled,
        )
    for num_resampled in (0, -1, 1.5):
        yield from of_losses(
            f"tapas_num_resampled_{num_resampled}",
            facts.TAPAS,
            Raises(("ValueError",), ("num_resampled", "at least 1|integer", str(num_resampled))),
            arrays(),
            (RANK,),
            num_resampled=num_resampled,
        )
    yield from of_losses(
        "learned_unigram_range",
        facts.LEARNED_RANGE,
        Raises(BOTH, ("range_max|num_classes", "2000000000")),
        arrays(),
        (RANK,),
        num_classes=2 * 10**9,
    )


def temperatures():
    for name, value in (("0", 0.0), ("-1", -1.0), ("nan", np.nan), ("inf", np.inf)):
        expect = Raises(
            ("InvalidArgumentError",),
            ("resampling_temperature", "positive", f"(?i){name}"),
        )
        known = Raises(BOTH, expect.words)
        yield from of_losses(
            f"temperature_number_{name}",
            facts.TAPAS,
            known,
            arrays(),
            (RANK,),
            resampling_temperature=value,
        )
        for kind, leaf in (
            ("tensor", np.float32(value)),
            ("variable", Variable(np.float32(value))),
        ):
            yield from of_losses(
                f"temperature_{kind}_{name}",
                facts.TAPAS,
                expect,
                arrays(resampling_temperature=leaf),
                (RANK,),
            )
    yield from of_losses(
        "temperature_integer_0",
        facts.TAPAS,
        Raises(BOTH, ("resampling_temperature", "positive", "0")),
        arrays(),
        (RANK,),
        resampling_temperature=0,
    )
    for kind, leaf in (("tensor", np.float32(0.5)), ("variable", Variable(np.float32(0.5)))):
        yield from of_losses(
            f"temperature_{kind}",
            facts.TAPAS,
            Works((4,)),
            arrays(resampling_temperature=leaf, sampled_values=fixed()),
            (RANK,),
        )
    yield from of_losses(
        "temperature_vector",
        facts.TAPAS,
        Raises(
            ("InvalidArgumentError",),
            ("resampling_temperature", "scalar", r"\(2,\)|\(None,\)|\[2\]"),
        ),
        arrays(resampling_temperature=np.ones(2, np.float32)),
        (RANK,),
    )
    for name, value in (("string", "hot"), ("none", None)):
        yield from of_losses(
            f"temperature_{name}",
            facts.TAPAS,
            Raises(("ValueError",), ("resampling_temperature", "positive", repr(value))),
            arrays(),
            (RANK,),
            resampling_temperature=value,
        )


CASES = [
    *not_positive(),
    *not_integers(),
    *tensors_as_sizes(),
    *too_many(),
    *temperatures(),
]
