"""A part of the quick run with `--sdm conda`: `pytest -m conda`; conda is taken from the path."""

import os
import shutil

import pytest

from tests.conftest import TARGETS

pytestmark = [
    pytest.mark.conda,
    pytest.mark.skipif(not shutil.which("conda"), reason="needs conda on the path"),
]


def test_a_part_of_the_quick_run_with_conda_gives_the_same_bytes(copy, snakemake, known, one_core):
    tree = copy("conda")
    asked = {name: value for name, value in os.environ.items() if name.startswith("CONDA_")}
    done = snakemake(tree, "--cores", 2, *TARGETS, "--sdm", "conda", **known, **asked)
    assert done.returncode == 0, done.stdout
    # One environment for the steps, one for the studies.
    environments = [path for path in (tree / ".snakemake/conda").iterdir() if path.is_dir()]
    assert len(environments) >= 2
    for target in TARGETS:
        assert (tree / target).read_bytes() == (one_core.tree / target).read_bytes(), target
