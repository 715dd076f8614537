"""Compares with the golden values in eager mode, `tf.function`s and v1 graphs, fused and not."""

import itertools

import pytest

import tf_sampled_compat as tsc
from golden import cases
from tests.golden.compare import assert_equals, golden_value
from tests.golden.modes import MODES, live_rank_record, run_eager

# If a case draws, its mode resets the seeds itself.
pytestmark = pytest.mark.no_op_seeds

IMPLEMENTATIONS = ["composite", "fused"]

# Our twin of each API: the namespaces of the losses and of the samplers. If two eras have the same
# twin, one run is compared with the golden values of both.
TWINS = {
    "compat.v0.nn": ((cases.TF012,), tsc.compat.v0.nn, tsc.compat.v0.nn),
    "compat.v1.nn": ((cases.TF115, cases.TF221_V1), tsc.compat.v1.nn, tsc.compat.v1.nn),
    "contrib.nn": ((cases.TF115_CONTRIB,), tsc.contrib.nn, tsc.compat.v1.nn),
    "nn": ((cases.TF221,), tsc.nn, tsc.random),
}


def _turns(mode):
    """Lists the (case, twin, implementation) of a mode. Tracing is slow, so not all run there.

    Eager mode runs all. Functions and graphs run one twin of each case. The C++ op has the same
    traced ops in both modes, so it runs in one of them, in turn from case to case. A
    PartitionedVariable exists in v1 graphs only, where every twin runs it.
    """
    for number, case in enumerate(cases.all_cases()):
        twins = [twin for twin, (apis, _, _) in TWINS.items() if set(apis) & set(case.apis)]
        if mode != "graph" and case.table == "partitioned":
            continue
        if mode != "eager" and case.table != "partitioned":
            twins = [twins[(number + (mode == "graph")) % len(twins)]]
        implementations = IMPLEMENTATIONS
        if mode != "eager" and case.table != "partitioned" and number // 2 % 2 == (mode == "graph"):
            implementations = ["composite"]
        for twin, implementation in itertools.product(twins, implementations):
            yield pytest.param(
                case, twin, implementation, id=f"{case.name}-{twin}-{implementation}"
            )


def _run_and_compare(mode, case, twin, implementation):
    apis, losses, samplers = TWINS[twin]
    apis = [api for api in apis if api in case.apis]
    with tsc.implementation(implementation):
        outcome = MODES[mode](losses, samplers, case, apis[0])
    for api in apis:
        tied = cases.ties_decide(case)
        expected = live_rank_record(case) if tied else golden_value(case, api)
        exact_counts = mode == "eager" or implementation == "fused"
        assert_equals(case, outcome, expected, api, exact_counts=exact_counts)


@pytest.mark.parametrize(("case", "twin", "implementation"), _turns("eager"))
def test_eager(case, twin, implementation):
    _run_and_compare("eager", case, twin, implementation)


@pytest.mark.parametrize(("case", "twin", "implementation"), _turns("function"))
def test_function(case, twin, implementation):
    _run_and_compare("function", case, twin, implementation)


@pytest.mark.parametrize(("case", "twin", "implementation"), _turns("graph"))
def test_graph(case, twin, implementation):
    _run_and_compare("graph", case, twin, implementation)


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize(
    "case",
    [
        pytest.param(case, id=case.name)
        for case in cases.all_cases()
        if case.loss in (cases.SPARSE, cases.RANK) and case.table != "partitioned"
    ],
)
def test_contrib_losses_in_nn(case, implementation):
    with tsc.implementation(implementation):
        outcome = run_eager(tsc.nn, tsc.random, case, cases.TF115_CONTRIB)
    tied = cases.ties_decide(case)
    expected = live_rank_record(case) if tied else golden_value(case, cases.TF115_CONTRIB)
    assert_equals(case, outcome, expected, "1.15")


@pytest.mark.parametrize("implementation", IMPLEMENTATIONS)
@pytest.mark.parametrize("mode", MODES)
def test_sparse_loss_of_a_batch_of_one(mode, implementation):
    """TensorFlow 1.15 fails for it; the softmax loss with one label must be equal."""
    batch_of_one = [
        case
        for case in cases.all_cases()
        if case.loss == cases.SOFTMAX and case.batch == case.num_true == 1
    ]
    assert batch_of_one
    for case in batch_of_one:
        sparse = case._replace(loss=cases.SPARSE)
        with tsc.implementation(implementation):
            outcome = MODES[mode](tsc.contrib.nn, tsc.compat.v1.nn, sparse, cases.TF115_CONTRIB)
        assert_equals(case, outcome, golden_value(case, cases.TF115), case.name)
