"""Checks of the caller's arguments, and the messages of errors.

May import `tf`.
"""
