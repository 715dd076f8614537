"""All targets of the fuzzer."""

from tests.fuzz import full, in_batch, losses, mistakes, options, raw_ops, samplers, top_k

TARGETS = (
    losses.TARGET,
    options.TARGET,
    full.TARGET,
    top_k.TARGET,
    in_batch.TARGET,
    samplers.TARGET,
    mistakes.TARGET,
    raw_ops.TARGET,
)
