"""Samplers, which return candidates and expected counts (`values.py`).

`tensorflow_kernels` are TensorFlow's. `stateless` ones draw by a `law`: `philox` makes random
words, `inversion` maps them to classes, `unique_draws` rejects repeated ones, and `expected_counts`
follow; `fused_draws` do the same in C++. `learned` and `mixture` keep state. `default` chooses by
name.

May import `backends`, `arguments` and `tf`. Samplers import no loss.
"""
