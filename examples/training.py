"""Training that survives a kill: a run that resumes goes on as if it had never stopped."""

import os
import signal

import keras
import tensorflow as tf


class Progress(keras.callbacks.Callback):
    """Prints a line for each epoch, and where a run resumes; kills the process if asked to.

    Args:
      epoch: A variable that gets the number of the epoch at its start.
      seed: A number from which the seeds of each epoch follow.
      kill_in: The epoch in which to kill the process, or None.
      judge: A function of the model that returns its held-out figures; they are printed after each
        epoch. None: no such function.
    """

    def __init__(self, epoch, seed, kill_in, judge):
        super().__init__()
        self.epoch, self.seed, self.kill_in, self.judge = epoch, seed, kill_in, judge

    def on_train_begin(self, logs=None):
        """Runs after BackupAndRestore has restored the optimizer, with its number of steps."""
        steps = int(self.model.optimizer.iterations)
        if steps:
            print(f"resumed after {steps} steps", flush=True)

    def on_epoch_begin(self, epoch, logs=None):
        """Decides the order of the examples, and what dropout draws: no weights file holds that."""
        self.epoch.assign(epoch + 1)
        seeds = [v for v in self.model.variables if v.name == "seed_generator_state"]
        for number, state in enumerate(seeds):
            state.assign([self.seed + number, epoch << 16])

    def on_train_batch_end(self, batch, logs=None):
        """Kills the process as the system would: nothing gets a chance to clean up."""
        if self.kill_in and self.epoch == self.kill_in and batch >= self.params["steps"] // 2:
            os.kill(os.getpid(), signal.SIGKILL)

    def on_epoch_end(self, epoch, logs=None):
        """Prints the sampled training loss."""
        figures = {"sampled loss": logs["loss"], **(self.judge(self.model) if self.judge else {})}
        told = ", ".join(f"{name} {value:.4g}" for name, value in figures.items())
        print(f"epoch {epoch + 1}: {told}", flush=True)


def shuffled(data, batch_size, epoch, seed):
    """Returns batches in an order that the epoch alone decides.

    So a run that resumes in an epoch takes the batches that it would have taken.

    Args:
      data: The inputs and labels: arrays or ragged tensors.
      batch_size: The number of examples in a batch.
      epoch: A variable with the number of the epoch.
      seed: The seed of all orders.
    """
    parts = [p if isinstance(p, tf.RaggedTensor) else tf.constant(p) for p in tf.nest.flatten(data)]
    data = tf.nest.pack_sequence_as(data, parts)
    size = int(parts[0].shape[0])

    def order(_):
        seeds = tf.stack([tf.constant(seed, tf.int64), epoch])
        rows = tf.random.experimental.stateless_shuffle(tf.range(size), seeds)
        return tf.data.Dataset.from_tensor_slices(rows)

    def take(rows):
        return tf.nest.map_structure(lambda part: tf.gather(part, rows), data)

    batches = tf.data.Dataset.range(1).flat_map(order).batch(batch_size).map(take).prefetch(2)
    return batches.apply(tf.data.experimental.assert_cardinality(-(-size // batch_size)))


def train(model, data, chosen, judge, *, batch_size, epochs, folder=None):
    """Trains, saves and loads a compiled model; a run that was killed goes on where it was.

    Args:
      model: The model. What it draws must depend on saved state and seeds alone.
      data: The inputs and labels, as `shuffled` takes them.
      chosen: The options.
      judge: A function of the model that returns its held-out figures.
      batch_size: The number of examples in a batch.
      epochs: How often to pass over the data.
      folder: Where to write, if not to the chosen folder.

    Returns:
      The model as another process would load it. None if this only validates.
    """
    folder = folder or chosen.folder
    epoch = tf.Variable(0, dtype=tf.int64)
    batches = shuffled(data, batch_size, epoch, chosen.seed)
    options = {"verbose": 0, "shuffle": False}  # The batches are shuffled.
    if chosen.validate:
        progress = Progress(epoch, chosen.seed, None, judge)
        model.fit(batches, epochs=2 * epochs, callbacks=[progress], **options)
        return None
    saved = folder / "model.keras"
    if saved.exists():
        print(f"{saved} is trained already; remove {folder} to train again")
    else:
        backup = keras.callbacks.BackupAndRestore(str(folder / "backup"))
        progress = Progress(epoch, chosen.seed, chosen.kill_in, None)
        model.fit(batches, epochs=epochs, callbacks=[backup, progress], **options)
        model.save(saved)
    return keras.models.load_model(saved)
