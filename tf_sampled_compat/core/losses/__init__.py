"""The losses: prepare the arguments, draw, gather the rows, hand them to a backend.

May import every other room of `core`.
"""
