"""The chief of a cluster: `python -m tests.distribute.chief WORKERS PS RESULTS CHECK...`.

It starts the servers beside itself, runs each check, and writes a JSON file: for each check what it
returned, or its error. A check is a name `module.function` below this package and arguments, all in
one string with blanks between.
"""

import importlib
import json
import os
import pathlib
import socket
import subprocess
import sys
import traceback

from tests.distribute import namespace

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["CUDA_VISIBLE_DEVICES"] = "-1"


def ports(number):
    """Returns free ports. Nobody else is in the namespace who could take them."""
    sockets = [socket.socket() for _ in range(number)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    found = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return found


def start(spec):
    """Starts the servers of a cluster, and returns their processes."""
    return [
        subprocess.Popen(
            [sys.executable, "-m", "tests.distribute.server", job, str(task), json.dumps(spec)]
        )
        for job in spec
        for task in range(len(spec[job]))
    ]


def outcome(check, strategy, coordinator):
    """Returns what a check returned, or its error."""
    name, *arguments = check.split(" ")
    module, name = name.rsplit(".", 1)
    try:
        function = getattr(importlib.import_module(f"tests.distribute.{module}"), name)
        return {"value": function(strategy, coordinator, *arguments)}
    except Exception:
        return {"error": traceback.format_exc()}


def main(workers, num_ps, results, *checks):
    """Runs the checks on a cluster."""
    namespace.enter()
    free = [f"127.0.0.1:{port}" for port in ports(int(workers) + int(num_ps))]
    spec = {"worker": free[: int(workers)], "ps": free[int(workers) :]}
    servers = start(spec)
    try:
        import tensorflow as tf

        resolver = tf.distribute.cluster_resolver.SimpleClusterResolver(
            tf.train.ClusterSpec(spec), rpc_layer="grpc"
        )
        partitioner = tf.distribute.experimental.partitioners.FixedShardsPartitioner(int(num_ps))
        strategy = tf.distribute.ParameterServerStrategy(resolver, variable_partitioner=partitioner)
        coordinator = tf.distribute.coordinator.ClusterCoordinator(strategy)
        found = {check: outcome(check, strategy, coordinator) for check in checks}
        pathlib.Path(results).write_text(json.dumps(found))
    finally:
        for server in servers:
            server.kill()
            server.wait()
    os._exit(0)  # TensorFlow would wait for the servers.


if __name__ == "__main__":
    main(*sys.argv[1:])
