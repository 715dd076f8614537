"""What ran of a compiled step, after TensorFlow's pruning."""

from tensorflow.python.eager import context


def executed_in(scope, run):
    """Returns the types of the ops that ran in the name scope of a layer."""
    context.enable_run_metadata()
    context.export_run_metadata()  # Forgets what ran before.
    try:
        run()
        metadata = context.export_run_metadata()
    finally:
        context.disable_run_metadata()
    nodes = {
        (node.name, node.op)
        for graphs in metadata.function_graphs
        for graph in graphs.partition_graphs
        for node in graph.node
    }
    assert nodes
    return {op for name, op in nodes if f"/{scope}" in f"/{name}"}
