"""How much work one measurement may be, and which part of a batch is no more than that."""

from __future__ import annotations

from tf_sampled_compat.diagnose import compiled
from tf_sampled_compat.diagnose.probe import Probe

# Numbers in a matrix of logits: 128 MiB of float32. Products behind it: rows · classes · dim.
MOST_LOGITS = 2**25
MOST_PRODUCTS = 2**32
# Numbers of a table that are copied or read at once: 32 MiB of float32.
MOST_NUMBERS = 2**23


def reads_logits(probe: Probe) -> bool:
    """Whether a step computes the logits of a head even without metrics: a loss reads them."""
    return any(
        output.head is not None and output.loss is not None and not compiled.is_ours(output.loss)
        for output in probe.outputs
    )


def part(probe: Probe) -> tuple[Probe, int]:
    """Returns a probe of the first rows of the batch, whose logits are no more than allowed.

    Returns:
      The probe, and the number of its examples.
    """
    examples = probe.examples
    heads = [output for output in probe.outputs if output.head is not None]
    logits = sum(output.rows * output.head.num_classes for output in heads)
    products = sum(output.rows * output.head.num_classes * output.dim for output in heads)
    share = min(MOST_LOGITS / max(logits, 1), MOST_PRODUCTS / max(products, 1), 1)
    few = max(int(examples * share), 1)
    return (probe, examples) if few >= examples else (probe.first(few), few)
