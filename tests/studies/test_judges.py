"""Every claim of every study, judged on made-up tables that must hold and that must not.

``tests/studies/<paper>/<study>.py`` holds ``made(claim, good)``: the study's tables, made up so
that the claim holds or does not. A claim without them, a flipped inequality or a judge that looks
at the wrong rows fails here.
"""

import functools
import importlib
from pathlib import Path

import numpy as np
import pytest

from cnntheory import stats
from workflow.configuration import studies
from workflow.studies import study, verdicts

ROOT = Path(__file__).parents[2]
CLAIMS = [
    pytest.param(paper, name, claim["id"], id=f"{paper}-{name}-{claim['id']}")
    for paper, signs in studies().items()
    for name, sign in signs.items()
    for claim in sign.get("claims", [])
]


read_sign = functools.cache(study.read_sign)


def judged(paper, name, tables):
    """Id to verdict row of a study, on tables of the standard scale and of MNIST."""
    sign = read_sign(ROOT / f"workflow/studies/{paper}/{name}.yaml")
    module = importlib.import_module(f"workflow.studies.{paper}.{name}")
    findings = study.examine(sign, module.judge, tables, np.random.default_rng(0))
    for claim in sign.by_id():
        assert findings[claim].text()  # as figures write it
    rows = verdicts.rows(paper, name, sign.by_id(), findings, "standard", f"{name}.svg")
    return {row["id"]: row for row in rows}


@pytest.fixture(autouse=True)
def fewer_replicas(monkeypatch):
    """Made-up tables lie clearly on one side: a tenth of the bootstrap's replicas tells which."""
    statistic, level, draws = stats.bootstrap.__defaults__
    monkeypatch.setattr(stats.bootstrap, "__defaults__", (statistic, level, draws // 10))


@pytest.mark.parametrize(("paper", "name", "claim"), CLAIMS)
def test_a_claim_holds_where_it_should_and_nowhere_else(paper, name, claim):
    made = importlib.import_module(f"tests.studies.{paper}.{name}").made
    assert judged(paper, name, made(claim, good=True))[claim]["verdict"] == "holds"
    assert judged(paper, name, made(claim, good=False))[claim]["verdict"] != "holds"


def test_a_run_that_never_gets_there_is_infinitely_slow():
    from tests.studies.allenzhu2019.slowdown import made

    tables = made("P3c", good=True)
    table = tables["pairs"]
    reach = table.spectral_movement / table.separation**1.5
    stuck = (reach < 0.15) & (table.depth == 2) & table.iterations.notna()
    assert stuck.any()
    tables["pairs"] = table.assign(iterations=table.iterations.mask(stuck, np.inf))
    rows = judged("allenzhu2019", "slowdown", tables)
    assert rows["P3c"]["verdict"] == "fails"
    assert f"{stuck.sum()} of {len(table)} runs never get there" in rows["P3-gap"]["note"]
