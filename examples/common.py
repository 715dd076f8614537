"""What the programs share: options, what is held out, the verdict."""

import argparse
import json
import pathlib

import keras


def options(program, description, arguments=None):
    """Reads the command line; the folder keeps what a killed run needs to go on."""
    name = pathlib.Path(program).stem
    parser = argparse.ArgumentParser(prog=f"python examples/{name}.py", description=description)
    parser.add_argument("--quick", action="store_true", help="use little data, as CI does")
    parser.add_argument(
        "--folder",
        type=pathlib.Path,
        help=f"where to write the backup, the model and the export (examples_output/{name})",
    )
    parser.add_argument(
        "--kill-in",
        type=int,
        metavar="EPOCH",
        help="send SIGKILL to this very process in the middle of an epoch; the next run resumes",
    )
    parser.add_argument(
        "--validate",
        action="store_true",
        help="leave out what is held out, hold out a part of the rest, and print the figures after "
        "each epoch, up to twice as many: so the number of epochs was chosen",
    )
    parser.add_argument("--seed", type=int, default=1, help="of weights, order and draws (1)")
    chosen = parser.parse_args(arguments)
    default = pathlib.Path("examples_output") / (name + "_quick" * chosen.quick)
    chosen.folder = chosen.folder or default
    chosen.folder.mkdir(parents=True, exist_ok=True)
    keras.utils.set_random_seed(chosen.seed)
    return chosen


def split(items, validate):
    """Returns all items but every tenth, and every tenth; of the first ones if this validates."""
    train = [item for k, item in enumerate(items) if k % 10]
    return split(train, False) if validate else (train, items[::10])


def verdict(rows, folder):
    """Prints held-out figures beside those of baselines, and writes them to figures.json.

    Args:
      rows: `(figure, model's, baseline's, name of the baseline, which is better)` each, the last
        one of "higher", "lower", and None for a baseline that is only shown.
      folder: Where to write.

    Returns:
      The exit code: 0 if the model beats every baseline, otherwise 1.
    """
    (folder / "figures.json").write_text(
        json.dumps(
            [[figure, float(ours), float(other), *more] for figure, ours, other, *more in rows]
        )
    )
    print(f"\n{'held out':<32}{'model':>10}{'baseline':>10}")
    lost = False
    for figure, ours, baseline, name, better in rows:
        beaten = {"higher": ours > baseline, "lower": ours < baseline, None: True}[better]
        lost = lost or not beaten
        result = "" if beaten else ": NOT BEATEN"
        print(f"{figure:<32}{ours:>10.4g}{baseline:>10.4g}  {name}{result}")
    return int(lost)
