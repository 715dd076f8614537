"""Shapes, devices, and the few private names of TensorFlow that we need.

Imports nothing of the package.
"""
