"""The namespaces whose `__all__` is public; `tf_keras` has the same classes as `keras`."""

KERAS = ("callbacks", "layers", "losses", "metrics", "optimizers")
DOCUMENTED = [
    "tf_sampled_compat",
    "tf_sampled_compat.nn",
    "tf_sampled_compat.random",
    "tf_sampled_compat.compat.v1",
    "tf_sampled_compat.compat.v1.nn",
    "tf_sampled_compat.compat.v1.train",
    "tf_sampled_compat.compat.v0.nn",
    "tf_sampled_compat.contrib.nn",
    "tf_sampled_compat.keras",
    *(f"tf_sampled_compat.keras.{x}" for x in KERAS),
]
NAMESPACES = [
    *DOCUMENTED,
    "tf_sampled_compat.tf_keras",
    *(f"tf_sampled_compat.tf_keras.{x}" for x in KERAS),
]
