"""Puts the package where legacy code looks for it, and takes it away again."""

from tf_sampled_compat.legacy.install import install, installed, uninstall

__all__ = ["install", "installed", "uninstall"]
