"""`make perf`: compares a working tree with an earlier commit, and fails if it has slowed down.

It counts what repeats (ops, bytes, instructions) and times the steps of both in turns. It is a
developer's tool that builds commits of this repository, so it lies beside the tests and is not
shipped in the package.
"""
