"""docs/extending.md, typed in literally in a copy of the project, and run."""

import json
import re
import shutil
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[1]
TEXT = (ROOT / "docs/extending.md").read_text()
BLOCK = r"```\w+\n(.*?)```"


def type_in(tree):
    """Do what the blocks say, in their order; returns how many there were."""
    pattern = rf"^((?:Append|Create|In) [^\n]*):\n\n{BLOCK}"
    steps = re.findall(pattern, TEXT, re.M | re.S)
    for words, block in steps:
        path, *line = re.findall(r"`([^`]+)`", words)
        path = tree / path
        if words.startswith("Create"):
            assert not path.exists(), path
            path.write_text(block)
            continue
        text = path.read_text()
        if words.startswith("Append"):
            path.write_text(text + block)
            continue
        (line,) = line
        assert text.count(f"\n{line}\n") == 1, (path, line)
        before = " before the line " in words
        new = f"\n{block}{line}\n" if before else f"\n{line}\n{block}"
        path.write_text(text.replace(f"\n{line}\n", new))
    return len(steps)


@pytest.fixture(scope="module")
def extended(copy):
    tree = copy("extended")
    shutil.copytree(ROOT / "tests/studies", tree / "tests/studies")
    blocks = len(re.findall(r"^```\w+$", TEXT, re.M))
    assert type_in(tree) == blocks > 10
    return tree


def test_what_the_page_leads_to_runs(extended, program):
    commands = re.sub(BLOCK, "", TEXT, flags=re.S)
    schema, figures, judges = re.findall(r"^    (\w+ .+)$", commands, re.M)
    assert schema == "make schema"
    done = program(extended, "python", "-m", "workflow.schemas.make_schema")
    assert done.returncode == 0, done.stdout
    done = program(extended, *figures.split(), "--cores", 2)
    assert done.returncode == 0, done.stdout
    found = {}
    for study in ("closeness", "orthogonality"):
        path = extended / f"results/quick/du2018/verdicts/{study}.json"
        found |= {row["id"]: row for row in json.loads(path.read_text())}
        assert (extended / f"results/quick/figures/du2018/{study}.svg").exists()
    assert found["13"]["verdict"] == "holds" and found["13x"]["verdict"] == "fails"
    # Few seeds at this scale.
    assert found["9d"]["measured"] == pytest.approx(1, abs=0.5)
    words = [word.strip('"') for word in re.findall(r'"[^"]+"|\S+', judges)]
    done = program(extended, *words, "--quiet", "-p", "no:cacheprovider")
    assert done.returncode == 0, done.stdout
    assert re.search(r"^6 passed", done.stdout, re.M), done.stdout


def test_what_the_page_adds_is_clean(extended, program):
    for command in ("ruff check .", "ruff format --check .", "snakefmt --check workflow/rules"):
        done = program(extended, *command.split())
        assert done.returncode == 0, done.stdout
