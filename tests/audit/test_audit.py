"""The audit passes correct samplers and finds defects that real samplers have had."""

import functools
import sys

import numpy as np
import pytest
import tensorflow as tf

import tf_sampled_compat as tsc
from tf_sampled_compat import __main__
from tf_sampled_compat.audit import chi_squared
from tf_sampled_compat.doctor import audits

C, S = 1000, 100
P = np.log((np.arange(C) + 2) / (np.arange(C) + 1)) / np.log(C + 1)


def log_uniform(r, size, rounding=np.floor):
    return np.clip(rounding(np.exp(r.uniform(size=size) * np.log(C + 1))) - 1, 0, C - 1)


def sequential(r, num, unique, **options):
    """Draws as TensorFlow does; returns the candidates and the number of tries."""
    drawn = np.int64(log_uniform(r, 50 * num, **options))
    if not unique:
        return drawn[:num], num
    _, first = np.unique(drawn, return_index=True)
    first = np.sort(first)[:num]
    return drawn[first], first[-1] + 1


def count(p, num, unique, tries):
    return -np.expm1(tries * np.log1p(-p)) if unique and tries > num else num * p


def sampler_of(draw, counts=count):
    """Makes a sampler from a NumPy function; like an op with a seed, each call draws anew."""

    def sampler(true_classes, num_true, num_sampled, unique, range_max, seed=None):
        r = np.random.RandomState(seed)

        def call(labels):
            ids, tries = draw(r, num_sampled, unique)
            q = np.float32(counts(P, num_sampled, unique, tries))
            return ids, q[labels], q[ids]

        types = (tf.int64, tf.float32, tf.float32)
        values = tf.numpy_function(call, [tf.constant(true_classes, tf.int64)], types)
        for value, shape in zip(values, ([num_sampled], [len(true_classes), 1], [num_sampled])):
            value.set_shape(shape)
        return values

    return sampler


def without_tail(r, num, unique):
    """Draws once and keeps the first of the sorted ids."""
    if not unique:
        return sequential(r, num, unique)
    ids, position = np.int64(log_uniform(r, 3 * num)), num
    while len(np.unique(ids[:position])) < num:
        position += 1
        ids = np.append(ids, np.int64(log_uniform(r, 1)))
    return np.unique(ids)[:num], position


def failed(report):
    return {check.name for check in report.checks if not check.passed}


def audit(sampler, **options):
    return tsc.random.audit(sampler, S, C, **{"num_calls": 300, **options})


def test_a_sampler_as_it_should_be():
    report = audit(sampler_of(sequential), num_calls=500)
    assert report and not failed(report), report


def test_the_tail_is_never_drawn():
    report = audit(sampler_of(without_tail))
    assert not report.passed and "unique=True: candidates of the tail" in failed(report)


def test_a_count_for_n_tries():
    """The real number of tries is at least S."""
    report = audit(sampler_of(sequential, lambda p, num, u, tries: count(p, num, u, num + 1)))
    assert not report.passed
    assert {"unique=True: candidates of the body", "unique=True: candidates of the tail"} <= failed(
        report
    )
    assert not any(name.startswith("unique=False") for name in failed(report))


def test_rounded_where_the_count_assumes_a_floor():
    rounding = functools.partial(sequential, rounding=np.rint)
    report = audit(sampler_of(rounding))
    assert not report.passed and "unique=False: draws of the head" in failed(report)
    # A hundred distinct classes nearly always contain the first ones; five do not.
    report = tsc.random.audit(sampler_of(rounding), 5, C, unique=True, num_calls=4000)
    assert "unique=True: the 5 most expected classes" in failed(report)


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (lambda ids: np.where(ids == 3, C, ids), "classes in range"),
        (lambda ids: np.concatenate([ids[:1], ids[:-1]]), "candidates distinct"),
        (lambda ids: np.where(ids < 3, ids + 500, ids), "candidates of the head"),
    ],
)
def test_candidates_that_are_none(change, check):
    real = sampler_of(sequential)

    def sampler(*args, **options):
        ids, *counts = real(*args, **options)
        return tf.ensure_shape(tf.numpy_function(change, [ids], tf.int64), [S]), *counts

    assert f"unique=True: {check}" in failed(audit(sampler, unique=True, num_calls=100))


def test_a_count_that_is_not_its_classs():
    real = tsc.random.log_uniform_candidate_sampler

    def sampler(*args, **options):
        ids, true_count, count = real(*args, **options)
        return ids, true_count, count * 1.001

    assert failed(audit(sampler, unique=True, num_calls=50)) == {
        "unique=True: a candidate's count is its class's"
    }


@pytest.mark.parametrize(
    ("seed", "fault"),
    [(lambda seed: 5, "another seed"), (lambda seed: None, "equal seeds give other draws")],
)
def test_seeds_that_are_none(seed, fault):
    real = tsc.random.log_uniform_candidate_sampler
    report = audit(lambda *args, **options: real(*args, seed=seed(options["seed"])), num_calls=20)
    details = [c.detail for c in report.checks if c.name.endswith("seeds")]
    assert all(fault in detail for detail in details) and len(failed(report)) == 2


def test_the_same_draws_at_each_call():
    real = sampler_of(lambda r, num, unique: sequential(np.random.RandomState(1), num, unique))
    assert "unique=False: seeds" in failed(audit(real, num_calls=20))


def test_the_learned_samplers_state_is_put_back():
    sampler = tsc.random.LearnedUnigramSampler(C, seed=1)
    sampler.learn([[4], [4]])
    before = [v.numpy() for v in sampler.variables]
    assert audit(sampler, num_calls=50)
    for variable, value in zip(sampler.variables, before):
        np.testing.assert_array_equal(variable, value)


def test_a_stateless_sampler():
    """Each call gets a pair of seeds, and its draws depend on nothing else."""

    def sampler(true_classes, num_true, num_sampled, unique, range_max, seed):
        bits = tf.random.stateless_uniform([num_sampled], seed, 0, range_max, tf.int64)
        p = num_sampled / range_max
        return bits, tf.fill(np.shape(true_classes), p), tf.fill([num_sampled], p)

    assert audit(sampler, unique=False, stateless=True)
    assert not audit(sampler, unique=True, stateless=True)


def test_p_values_are_uniform():
    """Audits of a correct sampler have uniform p-values; otherwise the level would mean nothing."""
    p_values = []
    for seed in range(60):
        report = audit(tsc.random.uniform_candidate_sampler, seed=seed, unique=False, num_calls=60)
        p_values += [check.p_value for check in report.checks if check.p_value is not None]
    below = np.mean(np.array(p_values) < 0.1)
    assert 0.03 < below < 0.2 and min(p_values) > 1e-5


def test_the_report(tmp_path, capsys, monkeypatch):
    report = audit(tsc.random.uniform_candidate_sampler, num_calls=20)
    assert report.observed.sum() == 20 * S and str(report).isascii()
    assert "passed (a correct sampler fails with probability 1e-06)" in str(report)
    report.print()
    assert "uniform_candidate_sampler" in capsys.readouterr().out
    monkeypatch.setitem(sys.modules, "rich", None)
    monkeypatch.setitem(sys.modules, "rich.console", None)
    report.print()
    assert capsys.readouterr().out == f"{report}\n"
    path = tmp_path / "audit.png"
    report.plot(str(path))
    assert path.read_bytes()[:4] == b"\x89PNG"


def test_without_scipy(monkeypatch):
    monkeypatch.setitem(sys.modules, "scipy", None)
    with pytest.raises(ImportError, match=r"tf_sampled_compat\[audit\]"):
        audit(tsc.random.uniform_candidate_sampler)


def test_bad_arguments():
    for options in ({"level": 0}, {"num_calls": 0}):
        with pytest.raises(ValueError, match=next(iter(options))):
            audit(tsc.random.uniform_candidate_sampler, **options)


def test_the_doctor_audits_every_sampler(doctor, capsys, monkeypatch):
    monkeypatch.setattr(audits.reports, "__defaults__", (50,))
    assert __main__.main(["doctor", "--audit"]) == 0
    text = capsys.readouterr().out
    assert "All is well." in text and text.isascii()
    for name in ("tf.random.log_uniform_candidate_sampler", "tsc.random.LearnedUnigramSampler"):
        assert f"  {name}: passed" in text


def test_the_doctor_tells_of_a_sampler_that_fails(doctor, capsys, monkeypatch):
    monkeypatch.setattr(audits, "_samplers", lambda: [("a", sampler_of(without_tail), {})])
    assert __main__.main(["doctor", "--audit"]) == 1
    assert "Wrong: a does not draw what it states" in capsys.readouterr().out


@pytest.mark.parametrize("unique", [False, True])
@pytest.mark.parametrize(
    "num_sampled, range_max", [(1, 1), (1, 2), (2, 2), (5, 5), (19, 20), (20, 20), (1, 30), (7, 3)]
)
def test_few_classes_and_few_draws(num_sampled, range_max, unique):
    """Correct samplers pass, however little an audit can tell."""
    if unique and num_sampled > range_max:
        return
    for sampler in (tsc.random.uniform_candidate_sampler, tsc.random.log_uniform_candidate_sampler):
        for num_calls in (1, 2, 7, 60):
            report = tsc.random.audit(
                sampler, num_sampled, range_max, num_calls=num_calls, unique=unique
            )
            assert report, report


def test_all_classes_without_drawing():
    """Each call gives the same candidates, as it must."""
    sampler = tsc.random.LearnedUnigramSampler(20, seed=1)
    assert tsc.random.audit(sampler, 20, 20, num_calls=50, unique=True)


def test_a_rare_class_is_no_bin_of_its_own():
    """A single draw would be far too many for a bin of almost no expected draws."""
    expected = np.array([60.0, 40.0, 0.01])
    observed, joined = chi_squared.bins(np.array([60.0, 39.0, 1.0]), expected)
    assert observed.tolist() == [100] and joined == pytest.approx([100.01])


def test_classes_that_are_stated_to_be_impossible():
    real = tsc.random.uniform_candidate_sampler

    def sampler(true_classes, *arguments, **options):
        ids, *counts = real(true_classes, *arguments, **options)
        truth = tf.cast(true_classes, tf.int64)
        of_true, of_ids = (tf.where(k == 5, 0.0, c) for k, c in zip((truth, ids), counts))
        return ids, of_true, of_ids

    assert any("draws of" in name for name in failed(audit(sampler, unique=False)))


@pytest.mark.parametrize("sampler_seed", [lambda seed: 5, lambda seed: None])
def test_seeds_of_a_sampler_of_two_classes(sampler_seed):
    real = tsc.random.uniform_candidate_sampler
    report = tsc.random.audit(
        lambda *args, **options: real(*args, seed=sampler_seed(options["seed"])),
        1,
        2,
        num_calls=60,
        unique=False,
    )
    assert failed(report) == {"unique=False: seeds"}


@pytest.mark.parametrize(
    "options, argument",
    [
        ({"range_max": 2**40}, "range_max: expected at most 16777216 classes"),
        ({"range_max": 10**30}, "range_max"),
        ({"num_sampled": 2**40, "unique": False}, "num_sampled, num_calls: expected at most"),
        ({"num_calls": 2**40}, "num_sampled, num_calls: expected at most 268435456 draws"),
        ({"num_sampled": 1001}, "num_sampled: expected at most range_max = 1000"),
        ({"num_calls": "a"}, "num_calls"),
        ({"seed": "a"}, "seed"),
        ({"seed": None}, "seed"),
        ({"unique": "both"}, "unique"),
        ({"stateless": "no"}, "stateless"),
        ({"level": "a"}, "level"),
        ({"level": float("nan")}, "level"),
        ({"name": 3}, "name"),
        ({"sampler": None}, "sampler"),
        ({"sampler": 3}, "sampler"),
    ],
)
def test_what_an_audit_refuses(options, argument):
    given = {"sampler": tsc.random.uniform_candidate_sampler, **options}
    with pytest.raises(ValueError, match=argument):
        tsc.random.audit(**given)
