"""Tells what is wrong with a model over many classes, what it costs, and the way out.

`probe.py` describes a model and a batch. Each file of findings turns that into a list of `Finding`.
`run.py` calls them, and `report.py` shows what they found.
"""
