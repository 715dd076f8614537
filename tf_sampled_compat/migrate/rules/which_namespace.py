"""Decides which namespace of this package a TensorFlow function goes to: see `target`."""

from __future__ import annotations

from typing import NamedTuple, Optional

from tf_sampled_compat.migrate.rules.signatures import PACKAGE, SIGNATURES, Signature

ERAS = ("0.x", "1.x", "2.x")

_CORE = ("sampled_softmax_loss", "nce_loss")
_CONTRIB = ("sampled_sparse_softmax_loss", "rank_sampled_softmax_loss")
# The TF 2 functions under the names that TensorFlow's own modules define them by.
_INTERNAL_V2 = {"sampled_softmax_loss_v2": "sampled_softmax_loss", "nce_loss_v2": "nce_loss"}
# The functions of TF 1.15's `tf.contrib.nn` that are not losses.
OTHER_CONTRIB = frozenset(
    {
        "alpha_dropout",
        "conv1d_transpose",
        "deprecated_flipped_sigmoid_cross_entropy_with_logits",
        "deprecated_flipped_softmax_cross_entropy_with_logits",
        "deprecated_flipped_sparse_softmax_cross_entropy_with_logits",
        "nth_element",
        "scaled_softplus",
    }
)
LOSSES = frozenset({*_CORE, *_CONTRIB, *_INTERNAL_V2})
# The private function of TensorFlow that its losses are made of.
PRIVATE = "_compute_sampled_logits"
# The names that `tf.nn` has or had, and those that its own modules define.
IN_NN = LOSSES | {PRIVATE}
# The name of `tf.contrib.opt` that this package has.
OPTIMIZERS = frozenset({"LazyAdamOptimizer"})
# All names that are rewritten.
MENTIONS = IN_NN | OTHER_CONTRIB | OPTIMIZERS

# The namespace that `tf.nn` means in each era.
_BY_ERA = {"0.x": "compat.v0.nn", "1.x": "compat.v1.nn", "2.x": "nn"}
# TensorFlow, and the package that 1.15 and 2.0 define it in.
_ROOTS = ("tensorflow", "tensorflow_core")
# The paths below `tensorflow` of `tf.nn`, and of the modules that define its losses.
_NN = {"nn", "compat.v1.nn", "compat.v2.nn", "_api.v1.nn", "_api.v2.nn"}
_DEFINING = {"python.ops.nn", "python.ops.nn_impl"}
_CONTRIB_FILES = ("alpha_dropout", "cross_entropy", "sampling_ops", "scaled_softplus")
# The paths of `tf.contrib.nn` and `tf.contrib.opt`, and of the modules that define their names.
_CONTRIB_NN = {
    f"{root}contrib.nn{inner}"
    for root in ("", "compat.v1.")
    for inner in ("", *(f".python.ops.{file}" for file in _CONTRIB_FILES))
}
_CONTRIB_OPT = {
    f"{root}contrib.opt{inner}"
    for root in ("", "compat.v1.")
    for inner in ("", ".python.training.lazy_adam_optimizer")
}


class Target(NamedTuple):
    """A function of this package, such as `nce_loss` of `compat.v1.nn`."""

    namespace: str
    function: str

    @property
    def path(self) -> str:
        """Its path below the package."""
        return f"{self.namespace}.{self.function}"

    @property
    def signature(self) -> Signature:
        """Its signature. Only losses have one here."""
        return SIGNATURES[self.namespace][self.function]


def target(path: str, era: str, spelled: str = "") -> Optional[Target]:
    """Returns the function of this package that means the same as one of TensorFlow's.

    Args:
      path: The dotted path by the file's imports, such as `tensorflow.nn.nce_loss`.
      era: "0.x", "1.x" or "2.x": the TensorFlow that the code was written for.
      spelled: The path as the code writes it. In code of 0.x, `import tensorflow.compat.v1 as tf`
        was `import tensorflow as tf` before `tf_upgrade_v2`, so `tf.nn` still means 0.x. Only a
        `compat.v1` that stands in the call itself means TensorFlow 1.

    Returns:
      The target, or None if this package has no such function.
    """
    root, _, below = path.partition(".")
    if root not in _ROOTS:
        return None
    # `tf_upgrade_v2 --mode SAFETY` puts compat.v1 before every path below tensorflow.
    while below.startswith(("compat.v1.compat.", "compat.v1.python.")):
        below = below[len("compat.v1.") :]
    module, _, name = below.rpartition(".")
    if module in _CONTRIB_NN:
        return Target("contrib.nn", name) if name in (*_CONTRIB, *OTHER_CONTRIB) else None
    if module in _CONTRIB_OPT:
        return Target("compat.v1.train", name) if name in OPTIMIZERS else None
    if module in _NN and name in _CONTRIB:
        # Reference pages list these under `tf.nn`, where no TensorFlow has them.
        return Target("nn" if era == "2.x" else "contrib.nn", name)
    if module in _DEFINING and name in _INTERNAL_V2:
        return Target("nn", _INTERNAL_V2[name])
    if name == PRIVATE:
        # TensorFlow 0.x defines it in `nn`, with inputs before labels. No twin has that order.
        in_order = module == "python.ops.nn_impl" and era != "0.x"
        return Target("compat.v1.nn", "compute_sampled_logits") if in_order else None
    if name not in _CORE:
        return None
    if module == "nn":
        return Target(_BY_ERA[era], name)
    if module in ("compat.v1.nn", "_api.v1.nn"):
        as_0x = era == "0.x" and "compat.v1" not in spelled
        return Target("compat.v0.nn" if as_0x else "compat.v1.nn", name)
    if module in ("compat.v2.nn", "_api.v2.nn"):
        return Target("nn", name)
    if module in _DEFINING:
        return Target("compat.v0.nn" if era == "0.x" else "compat.v1.nn", name)
    return None


def own(path: str) -> Optional[Target]:
    """Returns the loss of this package at a path, or None."""
    root, _, below = path.partition(".")
    module, _, name = below.rpartition(".")
    known = root == PACKAGE and name in SIGNATURES.get(module, ())
    return Target(module, name) if known else None


def is_private(path: str) -> bool:
    """Returns whether a path is TensorFlow's private function, in any of its modules."""
    root, _, below = path.partition(".")
    return root in _ROOTS and below.endswith(f".{PRIVATE}")


def is_contrib(path: str) -> bool:
    """Returns whether a path is a `tf.contrib` module that this package has functions of."""
    root, _, below = path.partition(".")
    return root in _ROOTS and below in _CONTRIB_NN | _CONTRIB_OPT
