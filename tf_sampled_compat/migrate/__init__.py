"""`python -m tf_sampled_compat migrate`: rewrites legacy code so that it calls this package.

Each namespace of the package has exactly the signature of its era. So a migrated call changes its
prefix and nothing else: no argument is moved, renamed or added, and a call that names no strategy
keeps its meaning. Code that cannot be rewritten with certainty, or that deserves a look, is
reported.

The rooms, in the order in which a file passes through them; each may import the ones before it:

- `finding`: which files to look at, and whether one mentions a loss at all.
- `code`: reads a file's code: encodings, the parsed tree, what a name stands for, byte edits.
- `rules`: decides: is this a loss, which namespace does it go to, does a person have to look.
- `rewriting`: makes the edits of a Python file or a notebook.
- `output`: the report, the diff, and safe writing.

`command`, `options` and `run` drive them. `notes`, the lines of the report, may be imported by all.
"""
