"""The options of the demo, checked before anything is written."""

from __future__ import annotations

import argparse
from pathlib import Path

from tf_sampled_compat.cli.options import add_output, positive, whole
from tf_sampled_compat.demo import corpus
from tf_sampled_compat.demo.plan import Plan

_WIDTH = 4
_FULL = {"steps": 1000, "batch": 512, "dim": 64, "sampled": 1024}
_QUICK = {"steps": 40, "batch": 64, "dim": 16, "sampled": 64}
_QUICK_FILES = 60
_FEWEST_IDENTIFIERS = 1000
_FEWEST_CLASSES = 20
# With the full softmax, a step computes the logits of all classes.
_FULL_SOFTMAX_CLASSES = 5000


def parser(program: str) -> argparse.ArgumentParser:
    """Returns the parser of the demo's options."""
    options = argparse.ArgumentParser(
        prog=program,
        description=(
            "Trains a next-identifier model on real text with TensorFlow's sampled losses and with "
            "this package's, from the same initial values, batches and candidates; evaluates each "
            "by the full softmax on held-out text."
        ),
    )
    options.add_argument(
        "--text",
        nargs="+",
        type=Path,
        metavar="FILE",
        help="text to learn from (default: the source of Python's standard library)",
    )
    add_output(options, "demo_output", holds="the pictures")
    for name, text in (
        ("steps", "training steps of each loss"),
        ("batch", "examples a step"),
        ("dim", "size of the embeddings"),
        ("sampled", "candidates a step"),
    ):
        options.add_argument(
            f"--{name}", type=positive, metavar="N", help=f"{text} (default: {_FULL[name]})"
        )
    options.add_argument(
        "--classes",
        type=positive,
        metavar="N",
        help="size of the vocabulary, the most frequent identifiers (default: all; "
        f"{_FULL_SOFTMAX_CLASSES:,} with --full-softmax)",
    )
    options.add_argument(
        "--full-softmax",
        action="store_true",
        help="also train with the full softmax, and draw its loss beside the sampled ones",
    )
    options.add_argument(
        "--seed",
        type=_seed,
        default=1,
        metavar="N",
        help="seed of initial values, batches and candidates (default: %(default)s)",
    )
    options.add_argument("--quick", action="store_true", help="a tiny run of a few seconds")
    return options


def read(chosen: argparse.Namespace, options: argparse.ArgumentParser) -> corpus.Corpus:
    """Reads the text; ends the program with an error if the text is unusable."""
    paths = chosen.text or corpus.standard_library()
    if chosen.quick and not chosen.text:
        paths = paths[:: max(1, len(paths) // _QUICK_FILES)]
    documents = []
    for path in paths:
        try:
            documents.append(corpus.identifiers(path))
        except OSError as error:
            if chosen.text:
                options.error(f"argument --text: cannot read {path}: {error.strerror}")
    total = sum(map(len, documents))
    if total < _FEWEST_IDENTIFIERS:
        options.error(
            f"argument --text: at least {_FEWEST_IDENTIFIERS:,} identifiers are needed, "
            f"not {total:,}"
        )
    most = chosen.classes or (_FULL_SOFTMAX_CLASSES if chosen.full_softmax else None)
    text = corpus.build(documents, width=_WIDTH, most=most)
    if text.num_classes < _FEWEST_CLASSES or not len(text.train) or not len(text.held_out):
        options.error(
            f"argument --text: too uniform or too scattered: {text.num_classes:,} distinct "
            f"identifiers, {len(text.train):,} places to train on, {len(text.held_out):,} held out"
        )
    return text


def plan(chosen: argparse.Namespace, options: argparse.ArgumentParser, num_classes: int) -> Plan:
    """Returns how to train `num_classes` classes; ends the program if they are too few."""
    sizes = dict(_QUICK if chosen.quick else _FULL)
    sizes["sampled"] = min(sizes["sampled"], num_classes // 2)
    sizes.update({k: getattr(chosen, k) for k in sizes if getattr(chosen, k) is not None})
    if sizes["sampled"] >= num_classes:
        options.error(
            f"argument --sampled: must be less than the {num_classes:,} distinct identifiers of "
            f"the text, not {sizes['sampled']:,}"
        )
    return Plan(
        steps=sizes["steps"],
        batch=sizes["batch"],
        learning_rate=1.0,
        width=_WIDTH,
        dim=sizes["dim"],
        num_sampled=sizes["sampled"],
        seed=chosen.seed,
        points=4 if chosen.quick else 10,
        curve_places=256 if chosen.quick else 512,
        final_places=1024 if chosen.quick else 4096,
        full_softmax=chosen.full_softmax,
    )


def _seed(text: str) -> int:
    number = whole(text)
    if not 0 <= number < 2**31:
        raise argparse.ArgumentTypeError(f"must be in [0, 2**31), not {text}")
    return number
