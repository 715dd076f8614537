"""Words for arguments that other Keras classes have and ours do not: they name the way out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from tf_sampled_compat.core.arguments import errors

OF_THE_LAYER = {
    "units": "num_classes=, the name that the losses use too, in the place of Dense's units=",
    "activation": "none: the layer returns logits, and the losses include the softmax or sigmoid",
}
OF_A_LOSS = {
    "from_logits": "none: the losses take the output of a SampledDense layer, which is logits",
    "num_classes": "none: the SampledDense layer knows the number of classes",
    "temperature": "none: it is an argument of the SampledDense layer, whose logits it divides",
    "normalize": "none: it is an argument of the SampledDense layer, whose logits are cosines then",
}


def check(options: Mapping[str, Any], ways_out: Mapping[str, str]) -> None:
    """Fails for an argument that has a known way out.

    Args:
      options: The arguments by keyword.
      ways_out: The names, with what to do instead.

    Raises:
      ArgumentError: If one of them is among the options.
    """
    for name, way_out in ways_out.items():
        if name in options:
            errors.fail(name, way_out, repr(options[name]), errors.ArgumentTypeError)
