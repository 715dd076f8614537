"""The losses: prepare the arguments, draw, gather the rows, and call a backend.

May import every other room of `core`.
"""
