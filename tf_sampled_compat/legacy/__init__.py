"""Puts the package's functions where legacy code looks for TensorFlow's, and takes them away."""

from tf_sampled_compat.legacy.install import install, installed, uninstall

__all__ = ["install", "installed", "uninstall"]
