"""`weights` and `biases`: missing, too short, of the wrong rank, in pieces of wrong sizes."""

import numpy as np

from tests.bad_input import facts
from tests.bad_input.case import (
    AT_RUN_TIME,
    DIM,
    LOSSES,
    RANK,
    SOFTMAX,
    TWINNED,
    C,
    EqualsTensorFlow,
    LikeTensorFlow,
    Raises,
    arrays,
    fixed,
    of_losses,
)

GOOD = arrays()
W, B = GOOD["weights"], GOOD["biases"]
TEN = {
    "labels": np.array([[3], [7], [0], [9]], np.int64),
    "sampled_values": fixed(sampled=(1, 4, 7, 3, 8)),
}


KNOWN = ("eager", "function", "graph")
# An assertion finds values that were unknown while tracing; we cannot choose its error class.
UNKNOWN = ("function_unknown", "graph_unknown")


def cut(table, *sizes):
    return np.split(table[: sum(sizes)], np.cumsum(sizes)[:-1])


def absent():
    for argument in ("weights", "biases"):
        yield from of_losses(
            f"{argument}_none",
            facts.NO_TABLE,
            LikeTensorFlow((argument, "params must be specified", "None")),
            arrays(**{argument: None}, sampled_values=fixed()),
            **{argument: None},
        )
        for kind, value in (("list", []), ("tuple", ())):
            yield from of_losses(
                f"{argument}_empty_{kind}",
                facts.NO_TABLE,
                LikeTensorFlow((argument, "at least one piece", "empty")),
                arrays(**{argument: None}, sampled_values=fixed()),
                **{argument: value},
            )


def lengths():
    yield from of_losses(
        "tables_longer",
        facts.TABLE_LENGTH,
        EqualsTensorFlow(),
        arrays(
            weights=np.concatenate([W, W]), biases=np.concatenate([B, B]), sampled_values=fixed()
        ),
        TWINNED,
    )
    yield from of_losses(
        "tables_longer_default_sampler",
        facts.TABLE_LENGTH,
        EqualsTensorFlow(),
        arrays(weights=np.concatenate([W, W]), biases=np.concatenate([B, B])),
        (SOFTMAX,),
        seed=3,
    )
    no_last = {"labels": np.array([[3], [7], [0], [44]], np.int64), "sampled_values": fixed()}
    short = {"weights": {"weights": W[:45]}, "biases": {"biases": B[:45]}}
    short["tables"] = {**short["weights"], **short["biases"]}
    for name, tables in short.items():
        yield from of_losses(
            f"{name}_shorter_not_hit",
            facts.TABLE_LENGTH,
            EqualsTensorFlow(),
            arrays(**tables, **no_last),
            TWINNED,
        )
        argument = "biases" if name == "biases" else "labels"
        yield from of_losses(
            f"{name}_shorter_label_hit",
            facts.TABLE_LENGTH,
            LikeTensorFlow((argument, r"\[0, 45\)", "49")),
            arrays(**tables, sampled_values=fixed()),
        )
        argument = "biases" if name == "biases" else "sampled_candidates"
        yield from of_losses(
            f"{name}_shorter_candidate_hit",
            facts.TABLE_LENGTH,
            LikeTensorFlow((argument, r"\[0, 45\)", "48")),
            arrays(
                **tables,
                labels=no_last["labels"],
                sampled_values=fixed(sampled=(1, 4, 7, 3, 48)),
            ),
        )
        yield from of_losses(
            f"{name}_shorter_default_sampler_hit",
            facts.TABLE_LENGTH,
            LikeTensorFlow((r"\[0, 45\)",)),
            arrays(**tables, labels=no_last["labels"]),
            num_sampled=50,
        )


def cuts():
    wrong = {"3_3_4": (3, 3, 4), "4_2_4": (4, 2, 4), "5_5_0": (5, 5, 0)}
    for name, sizes in wrong.items():
        for argument in ("weights", "biases"):
            tables = {"weights": cut(W, 4, 3, 3), "biases": cut(B, 4, 3, 3)}
            tables[argument] = cut(GOOD[argument], *sizes)
            for strategy in ("div", "mod"):
                words = (argument, "pieces", "3,? 3,? 4|4,? 2,? 4|5,? 5,? 0")
                for known in (True, False):
                    yield from of_losses(
                        f"{argument}_cut_{name}_{strategy}" + ("" if known else "_unknown"),
                        facts.CUT,
                        Raises(("ValueError",) if known else AT_RUN_TIME, words),
                        arrays(**tables, **TEN),
                        LOSSES if known and strategy == "div" else (SOFTMAX, RANK),
                        modes=KNOWN if known else UNKNOWN,
                        num_classes=10,
                        ours_only={"partition_strategy": strategy},
                        unknown_tables=True,
                    )
    yield from of_losses(
        "tables_cut_4_3_3",
        facts.CUT,
        EqualsTensorFlow(),
        arrays(weights=cut(W, 4, 3, 3), biases=cut(B, 4, 3, 3), **TEN),
        TWINNED,
        num_classes=10,
        ours_only={"partition_strategy": "div"},
        unknown_tables=True,
    )


def ranks():
    for name, bad in (("flat", W[:, 0]), ("cube", W[:, :, None]), ("scalar", W[0, 0])):
        yield from of_losses(
            f"weights_{name}",
            facts.SHAPES,
            LikeTensorFlow(("weights", "rank 2", r"\(50,\)|\(50, 8, 1\)|\(\)")),
            arrays(weights=bad, sampled_values=fixed()),
        )
    for name, bad in (("column", B[:, None]), ("scalar", B[0])):
        yield from of_losses(
            f"biases_{name}",
            facts.SHAPES,
            LikeTensorFlow(("biases", "rank 1", r"\(50, 1\)|\(\)")),
            arrays(biases=bad, sampled_values=fixed()),
        )
    yield from of_losses(
        "weights_pieces_of_two_widths",
        facts.SHAPES,
        LikeTensorFlow(("weights", "dim|width", "7")),
        arrays(
            weights=[W[:25], W[25:, : DIM - 1]], biases=[B[:25], B[25:]], sampled_values=fixed()
        ),
    )


def dtypes():
    strings = {"weights": W.astype(str).astype(object), "biases": B.astype(str).astype(object)}
    for argument, bad in strings.items():
        yield from of_losses(
            f"{argument}_strings",
            facts.DTYPES,
            LikeTensorFlow((argument, "number|float", "string")),
            arrays(**{argument: bad}, sampled_values=fixed()),
        )
    yield from of_losses(
        "tables_integers",
        facts.DTYPES,
        EqualsTensorFlow(),
        arrays(
            weights=(W * 3).astype(np.int32), biases=(B * 3).astype(np.int32),
            sampled_values=fixed(),
        ),
        TWINNED,
    )  # fmt: skip
    yield from of_losses(
        "weights_too_few_classes",
        facts.TABLE_LENGTH,
        LikeTensorFlow(("labels|sampled_candidates", r"\[0, 0\)")),
        arrays(weights=W[:0], biases=B[:0], sampled_values=fixed()),
    )


CASES = [*absent(), *lengths(), *cuts(), *ranks(), *dtypes()]
assert C == len(W)
