"""Mutation testing: do the tests notice if a line of losses, samplers or tables is wrong?"""
