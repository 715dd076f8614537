"""Words for arguments that other Keras classes have and ours do not: they name the way out."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any, Callable, TypeVar, cast

import tensorflow as tf

from tf_sampled_compat.core.arguments import errors

OF_THE_LAYER = {
    "units": "num_classes=, the name that the losses use too, in the place of Dense's units=",
    "activation": "none: the layer returns logits, and the losses include the softmax or sigmoid",
}
_NO_CLASS = (
    "padding_label=, the label that fills a row with fewer than num_true classes, or "
    "ignore_class=, the label of a row that does not count"
)
OF_A_LOSS = {
    "ignore_index": "ignore_class=, as in Keras's SparseCategoricalCrossentropy",
    "padding_value": _NO_CLASS,
    "padding_idx": _NO_CLASS,
    "mask_value": _NO_CLASS,
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


_Init = TypeVar("_Init", bound=Callable[..., None])


def needs(name: str) -> Callable[[_Init], _Init]:
    """Returns a decorator of a loss's constructor that fails where `compile` got the class itself.

    Keras then makes the object without an argument, or calls the class as it calls a function.

    Args:
      name: The first argument, a number.
    """

    def decorate(init: _Init) -> _Init:
        @functools.wraps(init)
        def checked(self: Any, *args: Any, **kwargs: Any) -> None:
            is_called = bool(args) and tf.is_tensor(args[0]) and args[0].shape.rank != 0
            if is_called or not (args or name in kwargs):
                made = f"{type(self).__name__}({name}=...)"
                errors.fail(
                    name,
                    f"a number. (compile takes an object, loss={made}, and not the class)",
                    "the labels and outputs of a model" if is_called else "none",
                    errors.ArgumentTypeError,
                )
            init(self, *args, **kwargs)

        return cast(_Init, checked)

    return decorate
