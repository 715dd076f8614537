"""The families of golden cases: what each varies, and what it keeps fixed."""

from __future__ import absolute_import, division, print_function

import itertools

from golden.case import (
    DEFAULT,
    FIXED,
    NCE,
    RANK,
    REPEATED,
    SAMPLERS,
    SOFTMAX,
    SPARSE,
    TF012,
    TF115,
    TF115_CONTRIB,
    TF221,
    TF221_V1,
    Case,
)

_SHORT = {SOFTMAX: "softmax", NCE: "nce", SPARSE: "sparse", RANK: "rank"}
_CONTRIB = (SPARSE, RANK)

# (C, D, B, S), used in turn, so that sizes vary from case to case.
_SIZES = (
    (10, 3, 4, 5),
    (13, 5, 3, 7),
    (17, 4, 6, 6),
    (23, 2, 5, 9),
    (31, 8, 8, 12),
    (60, 3, 4, 16),
)
# Sizes that do not divide by the number of shards: 4,3,3 - 6,5 - 4,4,3,3,3,3,3.
_SHARDED_SIZES = {2: (11, 4, 4, 5), 3: (10, 5, 5, 6), 7: (23, 3, 6, 9)}


def _apis(loss, shards, strategy, negatives):
    if loss in _CONTRIB:
        return (TF115_CONTRIB,)
    apis = [TF012, TF115, TF221, TF221_V1]
    if negatives == DEFAULT:
        apis.remove(TF012)  # its losses take no seed
    if shards > 1 and strategy == "mod":
        apis.remove(TF221)  # has no partition_strategy: always "div"
    return tuple(apis)


def _case(family, loss, tags, sizes, **fields):
    """Returns a Case with defaults filled in, named by its family, loss and tags."""
    num_classes, dim, batch, num_sampled = sizes
    values = dict(
        name="-".join([family, _SHORT[loss]] + [str(tag) for tag in tags]),
        loss=loss,
        num_classes=num_classes,
        dim=dim,
        batch=batch,
        num_true=1,
        num_sampled=num_sampled,
        num_resampled=None,
        resampling_temperature=None,
        remove_accidental_hits=True,
        shards=1,
        partition_strategy="mod",
        table="list",
        biases="sharded",
        logits="small",
        counts="near",
        labels="any",
        negatives=FIXED,
        unique=True,
        seed=None,
    )
    if loss == RANK:
        values.update(num_resampled=max(1, num_sampled // 2), resampling_temperature=1.0)
    values.update(fields)
    values["apis"] = _apis(
        loss, values["shards"], values["partition_strategy"], values["negatives"]
    )
    return Case(**values)


def _on_off(flag):
    return "hits" if flag else "nohits"


def plain_cases():
    """One variable: every num_true, hits on and off, both logit scales, both count ranges."""
    sizes = itertools.cycle(_SIZES)
    for loss, num_true, hits, logits, counts in itertools.product(
        (SOFTMAX, NCE), (1, 2, 5), (True, False), ("small", "huge"), ("near", "wide")
    ):
        yield _case(
            "plain",
            loss,
            ("t%d" % num_true, _on_off(hits), logits, counts),
            next(sizes),
            num_true=num_true,
            remove_accidental_hits=hits,
            logits=logits,
            counts=counts,
        )


def sharded_cases():
    """Lists of 2, 3 and 7 pieces for the table and the biases, "div" and "mod"."""
    kinds = ((1, True), (1, False), (2, False), (5, True))
    for loss, shards, strategy, (num_true, hits) in itertools.product(
        (SOFTMAX, NCE), (2, 3, 7), ("div", "mod"), kinds
    ):
        yield _case(
            "sharded",
            loss,
            (shards, strategy, "t%d" % num_true, _on_off(hits)),
            _SHARDED_SIZES[shards],
            shards=shards,
            partition_strategy=strategy,
            num_true=num_true,
            remove_accidental_hits=hits,
            logits="huge" if num_true == 5 else "small",
        )


def whole_bias_cases():
    """A sharded table beside one bias variable."""
    for loss, shards, strategy in itertools.product(
        (SOFTMAX, NCE, SPARSE, RANK), (2, 3), ("div", "mod")
    ):
        yield _case(
            "wholebias",
            loss,
            (shards, strategy),
            _SHARDED_SIZES[shards],
            shards=shards,
            partition_strategy=strategy,
            biases="whole",
            counts="wide",
        )


def partitioned_cases():
    """A PartitionedVariable (contiguous pieces), under "div" and under the default "mod"."""
    for loss, shards, strategy in itertools.product(
        (SOFTMAX, NCE, SPARSE, RANK), (2, 3, 7), ("div", "mod")
    ):
        yield _case(
            "partitioned",
            loss,
            (shards, strategy),
            _SHARDED_SIZES[shards],
            shards=shards,
            partition_strategy=strategy,
            table="partitioned",
        )


def sparse_cases():
    """sampled_sparse_softmax_loss: one label a row, whole and in pieces."""
    sizes = itertools.cycle(_SIZES)
    for hits, logits, counts in itertools.product(
        (True, False), ("small", "huge"), ("near", "wide")
    ):
        yield _case(
            "plain",
            SPARSE,
            (_on_off(hits), logits, counts),
            next(sizes),
            remove_accidental_hits=hits,
            logits=logits,
            counts=counts,
        )
    for shards, strategy, hits in itertools.product((2, 3, 7), ("div", "mod"), (True, False)):
        yield _case(
            "sharded",
            SPARSE,
            (shards, strategy, _on_off(hits)),
            _SHARDED_SIZES[shards],
            shards=shards,
            partition_strategy=strategy,
            remove_accidental_hits=hits,
        )


def rank_cases():
    """rank_sampled_softmax_loss (TAPAS): temperatures, num_true, pieces."""
    sizes = itertools.cycle(_SIZES)
    for num_true, hits, temperature, logits in itertools.product(
        (1, 2, 5), (True, False), (0.5, 1.0, 3.0), ("small", "huge")
    ):
        yield _case(
            "plain",
            RANK,
            ("t%d" % num_true, _on_off(hits), "temp%g" % temperature, logits),
            next(sizes),
            num_true=num_true,
            remove_accidental_hits=hits,
            resampling_temperature=temperature,
            logits=logits,
            counts="wide" if hits else "near",
        )
    for shards, strategy, num_true in itertools.product((2, 3, 7), ("div", "mod"), (1, 2)):
        yield _case(
            "sharded",
            RANK,
            (shards, strategy, "t%d" % num_true),
            _SHARDED_SIZES[shards],
            shards=shards,
            partition_strategy=strategy,
            num_true=num_true,
            resampling_temperature=0.5,
        )
    for num_resampled in (1, 11):  # all but one of S = 12
        yield _case("resampled", RANK, (num_resampled,), _SIZES[4], num_resampled=num_resampled)


def edge_cases():
    """Batch 1, dim 1, one sample, every class sampled, a class twice among a row's labels."""
    edges = (
        ("batch1", dict(), (17, 4, 1, 6)),
        ("dim1", dict(), (13, 1, 4, 6)),
        ("s1", dict(), (12, 4, 3, 1)),
        ("sC", dict(), (9, 4, 5, 9)),
        ("twice", dict(labels="twice", num_true=2), (14, 4, 4, 6)),
        ("twice5", dict(labels="twice", num_true=5), (14, 4, 4, 6)),
        ("b1d1", dict(), (7, 1, 1, 4)),
    )
    for loss, (edge, fields, sizes), hits in itertools.product(
        (SOFTMAX, NCE, SPARSE, RANK), edges, (True, False)
    ):
        if loss == SPARSE and (sizes[2] == 1 or "num_true" in fields):
            continue  # 1.15's sparse loss squeezes a batch of 1 away, and takes no num_true
        if loss == RANK and sizes[3] == 1:
            continue  # num_resampled must be less than num_sampled
        yield _case(
            "edge", loss, (edge, _on_off(hits)), sizes, remove_accidental_hits=hits, **fields
        )


def repeated_cases():
    """Sampled ids that occur several times; each position has its own count."""
    for loss, hits, sizes in itertools.product(
        (SOFTMAX, NCE, SPARSE, RANK), (True, False), (_SIZES[0], _SIZES[1], _SIZES[4])
    ):
        num_true = 1 if loss == SPARSE else 2
        yield _case(
            "repeated",
            loss,
            ("C%d" % sizes[0], _on_off(hits)),
            sizes,
            num_true=num_true,
            remove_accidental_hits=hits,
            negatives=REPEATED,
            counts="positional",
        )


def sampler_cases():
    """Negatives drawn by each seeded sampler op, without and with replacement."""
    for sampler, unique, loss, num_true in itertools.product(
        SAMPLERS, (True, False), (SOFTMAX, NCE, SPARSE, RANK), (1, 2)
    ):
        if (loss == SPARSE and num_true != 1) or (sampler == "all" and not unique):
            continue
        num_classes, dim, batch, num_sampled = (20, 4, 8, 8)
        num_sampled = num_classes if sampler == "all" else num_sampled
        yield _case(
            "drawn",
            loss,
            (sampler, "unique" if unique else "replaced", "t%d" % num_true),
            (num_classes, dim, batch, num_sampled),
            num_true=num_true,
            negatives=sampler,
            unique=unique,
            seed=1000 + 7 * SAMPLERS.index(sampler) + num_true,
            remove_accidental_hits=loss != NCE,
        )


def default_sampler_cases():
    """The loss's own sampler, where the loss takes a `seed`."""
    for num_true, seed, sizes in itertools.product(
        (1, 2, 5), (0, 3, 2**31 - 1), ((20, 4, 8, 6), (12, 3, 4, 12))
    ):
        yield _case(
            "default",
            SOFTMAX,
            ("t%d" % num_true, "seed%d" % seed, "S%d" % sizes[3]),
            sizes,
            num_true=num_true,
            negatives=DEFAULT,
            seed=seed,
        )
