"""A worker or a parameter server of a cluster.

python -m tests.distribute.server JOB TASK SPEC
"""

import ctypes
import json
import signal
import socket
import sys


def ready():
    """Checks the interfaces, and lets this process end when the chief ends."""
    names = [name for _, name in socket.if_nameindex()]
    if names != ["lo"]:
        raise RuntimeError(f"a server starts only where `lo` is the one interface, not in {names}")
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def main(job, task, spec):
    """Serves until it is killed."""
    ready()
    import tensorflow as tf

    server = tf.distribute.Server(json.loads(spec), job, int(task), protocol="grpc", start=True)
    server.join()


if __name__ == "__main__":
    main(*sys.argv[1:])
