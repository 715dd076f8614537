"""Makes the edits of a Python file (`python`) or a notebook (`notebook`).

`files` is the way in. May import `finding`, `code`, `rules` and `notes`.
"""
