"""A check that runs on a cluster: workers that draw from one learned sampler."""

import numpy as np
import tensorflow as tf

import tf_sampled_compat as tsc

CLASSES, SAMPLED, STEPS = 10_000, 8, 200


def draws(strategy, coordinator):
    """Returns how many different draws 200 steps made, the step, and the counts of a label."""
    with strategy.scope():
        sampler = tsc.random.LearnedUnigramSampler(CLASSES, seed=1)

    @tf.function
    def step():
        def replica():
            return sampler([[3]], 1, SAMPLED, True, CLASSES).sampled_candidates

        return strategy.run(replica)

    remote = [coordinator.schedule(step) for _ in range(STEPS)]
    coordinator.join()
    found = {tuple(np.array(each.fetch())) for each in remote}
    return {
        "distinct": len(found),
        "step": int(np.array(sampler._step)),
        "count": int(sampler.counts()[3]),
    }


def refusals(strategy, coordinator):
    """Returns the errors of what a worker cannot do."""
    found = []
    with strategy.scope():
        for call in (
            lambda: tsc.random.LearnedUnigramSampler(50, decay=0.9),
            lambda: tsc.random.per_replica_seed(3),
            lambda: tsc.random.per_replica_seed([1, 2]),
        ):
            try:
                found.append(repr(call()))
            except ValueError as error:
                found.append(str(error))
    return found
