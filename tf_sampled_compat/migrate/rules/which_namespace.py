"""The names that are rewritten: where TensorFlow had them, where they go, what they take."""

from __future__ import annotations

from typing import NamedTuple, Optional

from tf_sampled_compat.migrate.rules.signatures import FUNCTIONS, PACKAGE, SIGNATURES, Signature

ERAS = ("0.x", "1.x", "2.x")

_CORE = ("sampled_softmax_loss", "nce_loss")
_CONTRIB = ("sampled_sparse_softmax_loss", "rank_sampled_softmax_loss")
# The functions of TF 2, as TensorFlow's own modules call them.
_INTERNAL_V2 = {"sampled_softmax_loss_v2": "sampled_softmax_loss", "nce_loss_v2": "nce_loss"}
# The other names of TF 1.15's `tf.contrib.nn`; they are no losses, and go with them.
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
LOSSES = FUNCTIONS | frozenset(_INTERNAL_V2)
# Of `tf.contrib.opt`.
OPTIMIZERS = frozenset({"LazyAdamOptimizer"})
MENTIONS = LOSSES | OTHER_CONTRIB | OPTIMIZERS

_BY_ERA = {"0.x": "compat.v0.nn", "1.x": "compat.v1.nn", "2.x": "nn"}
_NN = {"nn", "compat.v1.nn", "compat.v2.nn", "_api.v1.nn", "_api.v2.nn"}
_PRIVATE = {"python.ops.nn", "python.ops.nn_impl"}
_CONTRIB_FILES = ("alpha_dropout", "cross_entropy", "sampling_ops", "scaled_softplus")
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
    """Where a function lives in this package: `nce_loss` of `compat.v1.nn`, say."""

    namespace: str
    function: str

    @property
    def path(self) -> str:
        """The path below the package."""
        return f"{self.namespace}.{self.function}"

    @property
    def signature(self) -> Signature:
        """Its signature, if it is a loss."""
        return SIGNATURES[self.namespace][self.function]


def target(path: str, era: str, spelled: str = "") -> Optional[Target]:
    """Returns where the function at a TensorFlow path goes, so that the call keeps its meaning.

    Args:
      path: The dotted path as imports define it, `tensorflow.nn.nce_loss`.
      era: "0.x", "1.x" or "2.x": the TensorFlow the code was written for.
      spelled: How the code writes it. An import of `tensorflow.compat.v1` in code of 0.x is what
        `tf_upgrade_v2` made of `import tensorflow`; `tf.compat.v1.nn` in full is meant.

    Returns:
      The target, or None if the path is no such function of TensorFlow's.
    """
    root, _, below = path.partition(".")
    if root not in ("tensorflow", "tensorflow_core"):
        return None
    # `tf_upgrade_v2 --mode SAFETY` puts compat.v1 before whatever was imported from tensorflow.
    while below.startswith(("compat.v1.compat.", "compat.v1.python.")):
        below = below[len("compat.v1.") :]
    module, _, name = below.rpartition(".")
    if module in _CONTRIB_NN:
        return Target("contrib.nn", name) if name in (*_CONTRIB, *OTHER_CONTRIB) else None
    if module in _CONTRIB_OPT:
        return Target("compat.v1.train", name) if name in OPTIMIZERS else None
    if module in _NN and name in _CONTRIB:
        # The reference pages file them under `tf.nn`, where no TensorFlow has them.
        return Target("nn" if era == "2.x" else "contrib.nn", name)
    if module in _PRIVATE and name in _INTERNAL_V2:
        return Target("nn", _INTERNAL_V2[name])
    if name not in _CORE:
        return None
    if module == "nn":
        return Target(_BY_ERA[era], name)
    if module in ("compat.v1.nn", "_api.v1.nn"):
        as_0x = era == "0.x" and "compat.v1" not in spelled
        return Target("compat.v0.nn" if as_0x else "compat.v1.nn", name)
    if module in ("compat.v2.nn", "_api.v2.nn"):
        return Target("nn", name)
    if module in _PRIVATE:
        return Target("compat.v0.nn" if era == "0.x" else "compat.v1.nn", name)
    return None


def own(path: str) -> Optional[Target]:
    """Returns the target that a path into this package names, or None."""
    root, _, below = path.partition(".")
    module, _, name = below.rpartition(".")
    known = root == PACKAGE and name in SIGNATURES.get(module, ())
    return Target(module, name) if known else None


def is_contrib(path: str) -> bool:
    """Whether a path is a module of `tf.contrib` whose functions this package has."""
    root, _, below = path.partition(".")
    return root in ("tensorflow", "tensorflow_core") and below in _CONTRIB_NN | _CONTRIB_OPT
