"""The part of TensorFlow 1.x that this package mirrors, and helpers for its checkpoints."""

from tf_sampled_compat.compat.v1 import nn, train
from tf_sampled_compat.compat.v1.checkpoints import Layout, reshard_checkpoint
from tf_sampled_compat.compat.v1.resharding import reshard

__all__ = ["Layout", "nn", "reshard", "reshard_checkpoint", "train"]
