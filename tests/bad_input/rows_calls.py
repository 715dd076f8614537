"""Calls written for other TensorFlow versions: argument order, strategies, implementations."""

import os
from unittest import mock

from tests.bad_input import facts
from tests.bad_input.case import (
    BOTH,
    LOSSES,
    NCE,
    RANK,
    SOFTMAX,
    SPARSE,
    C,
    Case,
    EqualsTensorFlow,
    Raises,
    arrays,
    fixed,
    namespace,
    of_losses,
)

S = 5
FIXED = arrays(sampled_values=fixed())
EVERY_API = {
    "nn": LOSSES,
    "compat.v1.nn": (SOFTMAX, NCE),
    "compat.v0.nn": (SOFTMAX, NCE),
    "contrib.nn": (SPARSE, RANK),
}
# The arguments without defaults in `tf.contrib.nn.rank_sampled_softmax_loss`.
IN_FULL = {
    "num_true": 1,
    "resampling_temperature": 1.0,
    "remove_accidental_hits": True,
    "partition_strategy": "div",
}


def only_ours(name, fact, expect, call, tensors):
    return [Case(name, fact, tensors, call, None, expect)]


def strategies():
    for api, losses in EVERY_API.items():
        for name, value in (("foo", "foo"), ("none", None), ("upper", "DIV"), ("number", 1)):
            for loss in losses:
                full = IN_FULL if (api, loss) == ("contrib.nn", RANK) else {}
                yield from of_losses(
                    f"strategy_{name}",
                    facts.STRATEGY,
                    Raises(("ValueError",), ("partition_strategy", "'div' or 'mod'", repr(value))),
                    FIXED,
                    (loss,),
                    api=api,
                    **{**full, "partition_strategy": value},
                )
    for loss in LOSSES:
        yield from of_losses(
            "strategy_foo_list",
            facts.STRATEGY,
            Raises(("ValueError",), ("partition_strategy", "'div' or 'mod'", "'foo'")),
            {**FIXED, "weights": [FIXED["weights"][:25], FIXED["weights"][25:]]},
            (loss,),
            partition_strategy="foo",
        )


def positional(api, loss, *rest):
    def call(root, t):
        tables = t["weights"], t["biases"]
        batch = (t["labels"], t["inputs"]) if api != "compat.v0.nn" else (t["inputs"], t["labels"])
        return getattr(namespace(root, api), loss)(
            *tables, *batch, S, C, 1, t["sampled_values"], *rest
        )

    return call


def misplaced():
    for strategy in ("mod", "div"):
        yield from only_ours(
            f"{strategy}_in_name-{NCE}",
            facts.MISPLACED,
            Raises(BOTH, ("^name: ", "partition_strategy", f"'{strategy}'", "keyword")),
            positional("nn", NCE, False, strategy),
            FIXED,
        )
        yield from only_ours(
            f"{strategy}_in_seed-{SOFTMAX}",
            facts.MISPLACED,
            Raises(BOTH, ("^seed: ", "partition_strategy", f"'{strategy}'", "keyword")),
            positional("nn", SOFTMAX, True, strategy),
            FIXED,
        )
    # If the name follows it, as in TF 1 calls, there is one positional argument too many.
    yield from only_ours(
        f"mod_and_name_in_seed_and_name-{SOFTMAX}",
        facts.MISPLACED,
        Raises(BOTH, ("^seed: ", "partition_strategy", "'mod'")),
        positional("nn", SOFTMAX, True, "mod", "my_loss"),
        FIXED,
    )
    yield from only_ours(
        f"name_in_seed-{SOFTMAX}",
        facts.MISPLACED,
        Raises(BOTH, ("^seed: ", "integer", "'my_loss'")),
        positional("nn", SOFTMAX, True, "my_loss"),
        FIXED,
    )
    for api in ("compat.v1.nn", "compat.v0.nn"):
        for loss, hits in ((SOFTMAX, True), (NCE, False)):
            yield Case(
                f"strategy_by_position-{api}.{loss}",
                facts.MISPLACED,
                FIXED,
                positional(api, loss, hits, "mod", "my_loss"),
                positional("compat.v1.nn", loss, hits, "mod", "my_loss"),
                EqualsTensorFlow(),
            )
    # A call in TF 2's order passes the seed or name as TF 1's strategy.
    for api in ("compat.v1.nn", "compat.v0.nn"):
        for loss, value in ((SOFTMAX, 42), (NCE, "my_loss")):
            yield from only_ours(
                f"tf2_order_in_strategy-{api}.{loss}",
                facts.MISPLACED,
                Raises(("ValueError",), ("partition_strategy", "'div' or 'mod'", repr(value))),
                positional(api, loss, True, value),
                FIXED,
            )


def swapped():
    for api, losses in EVERY_API.items():
        for loss in losses:
            for kind, values in (("fixed", {"sampled_values": fixed()}), ("default", {})):
                if kind == "default" and api == "contrib.nn" and loss == RANK:
                    continue  # sampled_values has no default there
                tensors = arrays(**values)
                tensors["labels"], tensors["inputs"] = tensors["inputs"], tensors["labels"]
                full = IN_FULL if (api, loss) == ("contrib.nn", RANK) else {}
                yield from of_losses(
                    f"swapped_{kind}",
                    facts.SWAPPED,
                    Raises(BOTH, ("labels", "inputs", "swapped", "float32", "int64")),
                    tensors,
                    (loss,),
                    api=api,
                    **full,
                )
    for loss in (SOFTMAX, NCE):
        yield from only_ours(
            f"order_of_tf_0-{loss}",
            facts.SWAPPED,
            Raises(BOTH, ("labels", "inputs", "swapped", r"compat\.v0")),
            lambda tsc, t, loss=loss: getattr(tsc.nn, loss)(
                t["weights"], t["biases"], t["inputs"], t["labels"], S, C
            ),
            arrays(),
        )
        yield from only_ours(
            f"order_of_tf_1_in_v0-{loss}",
            facts.SWAPPED,
            Raises(BOTH, ("labels", "inputs", "swapped")),
            lambda tsc, t, loss=loss: getattr(tsc.compat.v0.nn, loss)(
                t["weights"], t["biases"], t["labels"], t["inputs"], S, C
            ),
            arrays(),
        )
    floats = arrays(sampled_values=fixed())
    floats["labels"], floats["inputs"] = floats["inputs"], floats["labels"].astype("float32")
    for loss in LOSSES:
        yield from of_losses(
            "swapped_both_floats",
            facts.SWAPPED,
            Raises(BOTH, ("labels", "inputs", "swapped", "float32")),
            floats,
            (loss,),
            modes=("eager", "function", "graph"),
        )


def implementations():
    for loss in LOSSES:
        yield from of_losses(
            "implementation_nonsense",
            facts.IMPLEMENTATION,
            Raises(("ValueError",), ("implementation", "'fused', 'composite' or None", "nonsense")),
            FIXED,
            (loss,),
            ours_only={"implementation": "nonsense"},
        )

    def plain(tsc, t):
        return tsc.nn.sampled_softmax_loss(**t, num_sampled=S, num_classes=C)

    def by_environment(tsc, t):
        with mock.patch.dict(os.environ, {"TF_SAMPLED_COMPAT_IMPLEMENTATION": "nonsense"}):
            return plain(tsc, t)

    def by_scope(tsc, t):
        with tsc.implementation("nonsense"):
            return plain(tsc, t)

    wrong = Raises(("ValueError",), ("'fused', 'composite' or None", "nonsense"))
    yield from only_ours(
        "implementation_environment", facts.IMPLEMENTATION, wrong, by_environment, FIXED
    )
    yield from only_ours("implementation_scope", facts.IMPLEMENTATION, wrong, by_scope, FIXED)


CASES = [*strategies(), *misplaced(), *swapped(), *implementations()]
