"""One call of a loss, before `migrate` and after it."""

OLD = "import tensorflow as tf\nloss = tf.nn.nce_loss(w, b, y, x, 5, 50)\n"
NEW = (
    "import tensorflow as tf\nimport tf_sampled_compat as tsc\n"
    "loss = tsc.compat.v1.nn.nce_loss(w, b, y, x, 5, 50)\n"
)
