"""The map in CONTRIBUTING.md is true: its files and names exist, and no walk is too long."""

import pathlib
import re

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]
TEXT = (ROOT / "CONTRIBUTING.md").read_text()
PLACES = re.findall(r"`((?:core|nn|keras_common|custom_ops)/[\w/.]+)`: `([\w.]+)`", TEXT)


def test_there_are_places_to_check():
    assert len(PLACES) >= 9


@pytest.mark.parametrize("file, name", PLACES, ids=lambda each: each)
def test_a_place_of_the_walk_exists(file, name):
    path = ROOT / file if file.startswith("custom_ops/") else ROOT / "tf_sampled_compat" / file
    text = path.read_text()
    for part in name.split("."):
        assert re.search(rf"\b(def|class|struct|void) {part}\b", text), f"{part} in {file}"


@pytest.mark.parametrize("way", ["labels", "y_true"])
def test_a_walk_has_at_most_seven_hops(way):
    section = TEXT.split(f"### The way of `{way}`")[1].split("###")[0]
    hops = [int(hop) for hop in re.findall(r"^\| (?:\d – )?(\d+) \|", section, re.MULTILINE)]
    assert 2 <= len(hops) and max(hops) <= 7


def test_each_file_that_is_named_exists():
    for path in re.findall(r"`((?:tests|golden|docs)/[\w/.]+\.\w+)`", TEXT):
        assert (ROOT / path).exists(), path
