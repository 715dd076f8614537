"""What a caller passed: conversions, checks and the words of the errors.

May import `tf`.
"""
