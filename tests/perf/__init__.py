"""`make perf`: compares a working tree with an earlier commit, and fails if it is slower.

It counts repeatable quantities (ops, bytes, instructions) and times the steps of both in turns. It
is a developer's tool that builds commits of this repository. So it is beside the tests and not in
the package.
"""
