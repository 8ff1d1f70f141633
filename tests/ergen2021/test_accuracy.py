"""No small instance ends with a gap above 1e-8 and no word, whatever the BLAS kernels."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
KERNELS = {
    "default": {},
    "oldest": {
        "OPENBLAS_CORETYPE": "Nehalem",
        "ATEN_CPU_CAPABILITY": "default",
        "MKL_CBWR": "COMPATIBLE",
    },
    "SkylakeX": {"OPENBLAS_CORETYPE": "SkylakeX"},
    "Haswell": {"OPENBLAS_CORETYPE": "Haswell"},
}


def run(code, kernels):
    """A fresh process under given kernels: numpy reads them once. Skips what the CPU lacks."""
    python = [sys.executable, *code]
    environment = os.environ | KERNELS[kernels] | {"PYTHONPATH": str(ROOT / "src")}
    done = subprocess.run(python, cwd=ROOT, env=environment, capture_output=True, text=True)
    if done.returncode == -4:
        pytest.skip(f"this processor cannot run the {kernels} kernels")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.mark.parametrize("kernels", KERNELS)
def test_random_instances_are_solved(kernels):
    code = ["benchmarks/ergen2021_accuracy.py", "--instances", "12"]
    # instance 37 of the seed stalled at 1.7e-8: an optimum that is not unique
    hard = ["benchmarks/ergen2021_accuracy.py", "--instances", "1", "--first", "37"]
    for arguments in (code, hard):
        assert " 0 above 1e-10" in run(arguments, kernels)


@pytest.mark.parametrize("kernels", KERNELS)
def test_the_fully_connected_instance_that_stalled_is_solved(kernels):
    code = """
import numpy as np
from cnntheory.ergen2021 import beta_max, train_convex
rng = np.random.default_rng(7)
patches, y = rng.standard_normal((6, 1, 3)), rng.standard_normal(6)
print(train_convex(patches, y, 0.03 * beta_max(patches, y), tol=1e-10).gap)
"""
    assert float(run(["-c", code], kernels)) <= 1e-10
