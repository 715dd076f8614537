"""The files that are mutated, each with the tests that watch it: the quickest first.

Only tests that compare results are here. tests/nn/test_bad_input.py takes minutes, because each of
its cases runs in several modes, so that mutants of error messages may survive without it.
"""

ROOMS = ("losses", "samplers", "tables")

_LOSSES = ("nn/test_drop_in.py", "nn/test_corrections.py", "nn/test_sampled_logits.py")
_COMPOSED = (
    "nn/test_composition_rows.py",
    "nn/test_composition.py",
    "nn/test_composition_arguments.py",
)
_ONE_ROW = "nn/test_slices.py::test_one_label_row_serves_all_inputs"
_STATELESS = ("samplers/test_stateless_refusals.py", "samplers/test_stateless.py")
_IN_BATCH = ("nn/test_in_batch.py", "keras/test_in_batch_masks.py")
_SAVED = ("samplers/test_mixture.py", "keras/test_saved_samplers.py")

TESTS = {
    "losses/all_classes.py": ("nn/test_full_training.py", "nn/test_full.py"),
    "losses/blocks.py": ("nn/test_full.py", "nn/test_restricted_top_k.py"),
    "losses/calibration.py": ("nn/test_binary.py",),
    "losses/composed.py": (
        *_COMPOSED,
        "nn/test_full_training.py",
        "nn/test_corrections.py",
        "keras/test_label_weights.py",
    ),
    "losses/description.py": _LOSSES,
    "losses/draw.py": (*_LOSSES, "samplers/test_default.py", "samplers/test_partial_batches.py"),
    "losses/equal_ids.py": _IN_BATCH,
    "losses/exclusion.py": ("nn/test_corrections.py",),
    "losses/full.py": (
        "nn/test_restricted_top_k.py",
        "nn/test_full.py",
        "nn/test_full_training.py",
    ),
    "losses/gather.py": (*_LOSSES, "nn/test_tapas.py", "nn/test_slices.py"),
    "losses/given.py": (*_LOSSES, "samplers/test_partial_batches.py"),
    "losses/in_batch.py": _IN_BATCH,
    "losses/in_batch_arguments.py": _IN_BATCH,
    "losses/in_batch_counts.py": _IN_BATCH,
    "losses/own_candidates.py": ("nn/test_own_negatives.py", "nn/test_own_negatives_once.py"),
    "losses/padding.py": ("nn/test_corrections.py", "samplers/test_partial_batches.py"),
    "losses/prepare.py": (*_LOSSES, _ONE_ROW, "nn/test_sizes.py", "nn/test_numerics.py"),
    "losses/restriction.py": ("nn/test_restricted_top_k.py",),
    "losses/result_names.py": ("nn/test_result_names.py",),
    "losses/sampled.py": (*_LOSSES, "nn/test_tapas.py"),
    "losses/scaling.py": _COMPOSED,
    "losses/slices.py": ("nn/test_slices.py",),
    "losses/tapas.py": (
        "nn/test_tapas.py",
        "nn/test_drop_in.py",
        "samplers/test_partial_batches.py",
    ),
    "samplers/cumulative_weights.py": _STATELESS,
    "samplers/default.py": ("samplers/test_default.py", "nn/test_drop_in.py"),
    "samplers/descriptions.py": _SAVED,
    "samplers/expected_counts.py": ("samplers/test_unique_draws.py", *_STATELESS),
    "samplers/first_occurrences.py": ("samplers/test_unique_draws.py",),
    "samplers/frequencies.py": ("samplers/test_given_counts.py", *_SAVED),
    "samplers/fused_draws.py": _STATELESS,
    "samplers/given_seeds.py": ("samplers/test_odd_arguments.py", *_STATELESS),
    "samplers/inversion.py": _STATELESS,
    "samplers/joint_draws.py": ("samplers/test_partial_batches.py", "samplers/test_mixture.py"),
    "samplers/law.py": _STATELESS,
    "samplers/learned.py": ("samplers/test_given_counts.py", "samplers/test_learned.py"),
    "samplers/mixture.py": ("samplers/test_partial_batches.py", *_SAVED),
    "samplers/occurrence_intervals.py": ("nn/test_in_batch.py", *_SAVED),
    "samplers/philox.py": _STATELESS,
    "samplers/pieces.py": ("samplers/test_pieces.py",),
    "samplers/reach.py": ("samplers/test_reach.py", "samplers/test_stateless_refusals.py"),
    "samplers/saving.py": _SAVED,
    "samplers/seeds.py": ("samplers/test_replica_seeds.py", *_STATELESS),
    "samplers/stateless.py": _STATELESS,
    "samplers/sum_tree.py": ("samplers/test_learned.py",),
    "samplers/tensorflow_kernels.py": ("samplers/test_default.py", "nn/test_drop_in.py"),
    "samplers/unigram_weights.py": ("nn/test_drop_in.py", *_STATELESS),
    "samplers/unique_draws.py": ("samplers/test_unique_draws.py", *_STATELESS),
    "tables/lookup.py": ("nn/test_drop_in.py", "tables/test_tables.py"),
    "tables/table.py": ("nn/test_drop_in.py", "tables/test_tables.py"),
}
# Nothing in them computes.
LEFT_OUT = ("samplers/values.py",)


def files(root):
    """Returns the paths of all files that are mutated."""
    core = root / "tf_sampled_compat" / "core"
    found = [path for room in ROOMS for path in sorted((core / room).glob("*.py"))]
    names = [path.relative_to(root).as_posix() for path in found if path.name != "__init__.py"]
    return [name for name in names if not name.endswith(LEFT_OUT)]


def tests_of(file):
    """Returns the tests of a file, as arguments of pytest."""
    name = file.removeprefix("tf_sampled_compat/core/")
    return tuple(f"tests/{test}" for test in TESTS[name])
