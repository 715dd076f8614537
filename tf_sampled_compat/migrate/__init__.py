"""`python -m tf_sampled_compat migrate`: rewrites legacy code to call this package's losses.

Each namespace here has the signature of its era to the letter, so that migrating a call changes the
prefix and nothing else: no argument is moved, renamed or added, and a call without a strategy keeps
what it meant. What cannot be rewritten with certainty, or should be looked at, is reported.
"""
