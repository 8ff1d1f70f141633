"""docs/examine.md says what its code prints: the same words, and numbers but for rounding."""

import importlib.util
import re
from pathlib import Path

import pytest

from cnntheory import images

ROOT = Path(__file__).resolve().parents[2]
NUMBER = r"-?\d+\.?\d*(?:e[+-]?\d+)?"


def module():
    spec = importlib.util.spec_from_file_location("make_examine", ROOT / "docs/make_examine.py")
    found = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(found)
    return found


def test_the_page_is_what_its_code_prints(tmp_path, monkeypatch):
    _, folder = images.place()
    if not images.at_hand(folder):
        pytest.skip("MNIST is not at hand")
    monkeypatch.chdir(tmp_path)
    made, committed = module().page(folder), (ROOT / "docs/examine.md").read_text()
    words = [re.sub(r"\s+", " ", re.sub(NUMBER, "#", text)) for text in (made, committed)]
    assert words[0] == words[1]
    numbers = [[float(x) for x in re.findall(NUMBER, text)] for text in (made, committed)]
    # SGD in single precision is not the same on every processor.
    assert numbers[0] == pytest.approx(numbers[1], rel=0.1, abs=1e-6)
    assert (tmp_path / "examine.svg").stat().st_size > 10_000
