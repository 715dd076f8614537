"""The report, the diff, the count of files on a terminal, and safe writing.

May import every other room.
"""
