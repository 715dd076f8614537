"""Decides: is this a loss, which namespace does it go to (`which_namespace`), must a person look.

Edits nothing. May import `finding`, `code` and `notes`.
"""
