"""What TensorFlow knows of a traced call: shapes, devices, the few private names we need.

Imports nothing of the package.
"""
