"""Mutated configurations and image files: read as they are, or refused in words, never a traceback.

A part runs by default; ``pytest -m fuzz`` runs 500 configurations and 200 files of each kind.
"""

import copy
import gzip
import json
import re
import struct

import numpy as np
import pydantic
import pytest

from cnntheory import images
from workflow.configuration import check, flags
from workflow.schemas.make_schema import steps
from workflow.scripts import step

# What may stand where something else is expected.
STRANGE = (
    None,
    True,
    -1,
    0,
    1,
    2.0,
    0.5,
    -1e-300,
    1e308,
    10**30,
    float("nan"),
    float("inf"),
    -float("inf"),
    "",
    "2",
    "nan",
    "$(touch x)",
    "a b",
    "a\nb",
    "\0",
    "{results}",
    "~nobody/x",
    "../..",
    "/",
    "src",
    "x" * 5000,
    [],
    {},
    [[]],
    [1, "a", None],
    {"a": {"b": 1}},
    [0.5] * 2000,
)
MENDS = "convert|correct|give|mend|name|replace|reshape|resize|save|scale|store"
IMAGES = np.arange(5 * 6 * 6, dtype=np.uint8).reshape(5, 6, 6)


def places(tree, path=()):
    """Every path of keys and positions below a section."""
    inside = tree.items() if isinstance(tree, dict) else enumerate(tree)
    for key, value in inside:
        yield (*path, key)
        if isinstance(value, dict | list):
            yield from places(value, (*path, key))


def mutated(config, rng):
    """A configuration with one to three faults or changes of any kind."""
    config = copy.deepcopy(config)
    for _ in range(rng.integers(1, 4)):
        found = list(places(config))
        *path, key = found[rng.integers(len(found))]
        section = config
        for part in path:
            section = section[part]
        kind, old = rng.choice(["replace", "delete", "rename", "repeat", "scale"]), section[key]
        if kind == "delete":
            del section[key]
        elif kind == "rename" and isinstance(section, dict):
            section[key[:-1] + str(rng.choice(["", "x", "S", " "]))] = section.pop(key)
        elif kind == "repeat" and isinstance(old, list) and old:
            section[key] = old + old
        elif kind == "scale" and isinstance(old, int | float) and not isinstance(old, bool):
            section[key] = old * float(rng.choice([-1, 1e-3, 1, 1e6]))
        else:
            section[key] = copy.deepcopy(STRANGE[rng.integers(len(STRANGE))])
    return config


def is_refused_in_words_or_taken(config, seed):
    changed = mutated(config, np.random.default_rng(seed))
    try:
        check(changed)
    except SystemExit as refusal:
        lines = refusal.code.split("\n")
        assert 1 <= len(lines) <= 3
        assert all(re.match(r"config: (\S.*: |and \d+ more$)", line) for line in lines), lines
        assert max(map(len, lines)) < 400, lines
        return
    # What was let pass is what the steps themselves take.
    for paper in changed["papers"]:
        for name, options in steps(paper).items():
            given = changed[paper].get(name, {})
            for case in step.cases(options) or [None]:
                section = given if case is None else given.get("common", {}) | given[case]
                asked = {key: value for key, value in section.items() if value is not None}
                assert flags(**asked) or not asked
                refused = refusals(options, asked if case is None else asked | {"case": case})
                assert not refused, (paper, name, case, refused)


def refusals(options, values):
    """What a step would not take; what is missing, the rules give."""
    try:
        options.model_validate_json(json.dumps(values))
    except pydantic.ValidationError as error:
        return [found for found in error.errors() if found["type"] != "missing"]
    return []


@pytest.mark.parametrize("seed", range(40))
def test_a_configuration_is_refused_in_words_or_taken(config, seed):
    is_refused_in_words_or_taken(config, seed)


@pytest.mark.fuzz
@pytest.mark.parametrize("seed", range(40, 500))
def test_many_configurations_are_refused_in_words_or_taken(config, seed):
    is_refused_in_words_or_taken(config, seed)


def idx():
    return struct.pack(">4B3I", 0, 0, 8, 3, *IMAGES.shape) + IMAGES.tobytes()


def npy(tmp_path):
    path = tmp_path / "whole.npy"
    np.save(path, IMAGES)
    return path.read_bytes()


def damaged(content, rng):
    """Bytes changed, cut out, repeated or added."""
    content = bytearray(content)
    for _ in range(rng.integers(1, 5)):
        at = int(rng.integers(max(len(content), 1)))
        kind = rng.choice(["flip", "cut", "end", "repeat", "add", "head"])
        if kind == "flip" and content:
            content[at % len(content)] = int(rng.integers(256))
        elif kind == "cut":
            del content[at : at + int(rng.integers(1, 40))]
        elif kind == "end":
            del content[at:]
        elif kind == "repeat":
            content[at:at] = content[at : at + 50]
        elif kind == "add":
            content += rng.bytes(int(rng.integers(1, 100)))
        elif content:
            content[int(rng.integers(min(len(content), 128)))] = int(rng.integers(256))
    return bytes(content)


def is_read_or_refused(tmp_path, kind, seed):
    rng = np.random.default_rng(seed)
    if kind == "npy":
        path = tmp_path / "mine.npy"
        path.write_bytes(damaged(npy(tmp_path), rng))
        source = path
    else:
        source = tmp_path / "mine"
        source.mkdir()
        content = damaged(gzip.compress(idx()), rng) if kind == "gz" else damaged(idx(), rng)
        path = source / (images.FILES["train_images"][0] + (".gz" if kind == "gz" else ""))
        path.write_bytes(content)
    try:
        label, arrays = images.own(source)
    except ValueError as refusal:
        assert str(source) in str(refusal)
        assert re.search(
            "; (replace|reshape|scale|convert|resize|correct|name|mend|give|store|save)",
            str(refusal),
        ), refusal
        return
    assert label.startswith("own (")
    assert arrays["train_images"].dtype == np.uint8 and arrays["train_images"].ndim == 3


@pytest.mark.parametrize("kind", ["npy", "idx", "gz"])
@pytest.mark.parametrize("seed", range(20))
def test_a_file_of_images_is_read_or_refused(tmp_path, kind, seed):
    is_read_or_refused(tmp_path, kind, seed)


@pytest.mark.fuzz
@pytest.mark.parametrize("kind", ["npy", "idx", "gz"])
@pytest.mark.parametrize("seed", range(20, 200))
def test_many_files_of_images_are_read_or_refused(tmp_path, kind, seed):
    is_read_or_refused(tmp_path, kind, seed)
