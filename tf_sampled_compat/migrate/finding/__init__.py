"""Which files to look at, and whether one mentions a loss at all.

Imports nothing of the package.
"""
