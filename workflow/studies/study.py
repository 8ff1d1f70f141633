"""What all studies share: the room sign, its claims, and the job that judges and draws.

A study is two files with one name. The room sign, ``<study>.yaml``, says what is asked, of which
tables, and by which criteria it is decided. ``<study>.py`` answers it::

    def judge(tables, claims, rng):
        return {"9a": exactly(...), "slope": ...}

    def draw(findings, tables):
        return fig, drawn

    if __name__ == "__main__":
        study.main(judge, draw)

The findings hold a `Measured` under the id of every claim and whatever else the figure shows, so
that what is judged is what is drawn.

Where the sign says which tables there are of a further data set too (``replicate``), the study is
judged a second time, on these tables and the claims that have an expectation for it. A judge then
finds only what it is asked: the ids in `claims`. Findings and tables of the second data set stand
in those of the first under its label, ``findings["Fashion-MNIST"]``.
"""

import argparse
import json
import sys
from pathlib import Path
from typing import Annotated, Literal

import pandas as pd
import pydantic
import yaml
from pydantic import Field

from cnntheory import images
from workflow.scripts import step
from workflow.studies import style, verdicts

Text = Annotated[str, Field(min_length=1)]


class _Strict(pydantic.BaseModel):
    model_config = pydantic.ConfigDict(extra="forbid", frozen=True, strict=True)


class Claim(_Strict):
    """A statement with its criterion, written down before the run that decides it."""

    id: Text
    kind: Literal["claim", "control", "identity"] = Field(
        description="a control breaks a hypothesis and must fail; an identity holds by algebra: "
        "a check of the code, no evidence"
    )
    statement: Text
    source: Text
    provenance: Literal["confirmed", "derived", "reconstructed"]
    control_of: Text | None = Field(
        None, description="of a control: the claim, where its id does not say so (9x is one of 9)"
    )
    criterion: Text = Field(description="what is measured and when it holds, in words")
    at_least: float | None = None
    at_most: float | None = None
    least_seeds: int = Field(0, description="with fewer independent draws nothing is decided")
    about: Literal["images"] | None = Field(None, description="decided on known images only")
    where: Text | None = Field(None, description="rows that are judged, as a pandas query")
    success: Text | None = Field(None, description="rows that count as a success, likewise")
    given: dict[str, float | int | str | list] = Field(
        default={},
        description="numbers that the criterion names; `where` and `success` may name "
        "them too, @tolerance",
    )
    least_images: int = Field(0, description="with fewer training images nothing is decided")
    expected: Literal["holds", "fails", "inconclusive"]
    replica: Literal["holds", "fails", "inconclusive"] | None = Field(
        None, description="what is expected on further data sets, where it is judged there"
    )
    amended: str = Field("", description="date and reason of every change after a first run")
    note: str = ""

    @pydantic.model_validator(mode="after")
    def _has_a_band(self):
        if self.control_of and self.kind != "control":
            raise ValueError(f"control_of is for controls, found with a {self.kind}")
        if self.at_least is None and self.at_most is None:
            raise ValueError("expected at_least, at_most or both")
        if None not in (self.at_least, self.at_most) and self.at_least > self.at_most:
            raise ValueError(f"at_least {self.at_least} is above at_most {self.at_most}")
        return self

    def rows(self, table):
        """The rows of a table that the claim speaks of."""
        return table.query(self.where, local_dict=self.given) if self.where else table

    def succeeded(self, table):
        """Which rows of a table count as a success, a boolean a row."""
        return table.eval(self.success, local_dict=self.given)


class Sign(_Strict):
    """The room sign of a study."""

    question: Text
    theorem: str = Field("", description="TeX, with the paper's name of the statement in front")
    plain: Text = Field(description="what it means, for a newcomer")
    caption: Text
    tables: list[str | dict[str, list[str]]] = Field(
        description="tables judged and drawn; several under one name are put together"
    )
    replicate: list[str | dict[str, list[str]]] = Field(
        [], description="which of the tables there are of further data sets too"
    )
    timings: list[str] = Field([], description="tables of seconds: drawn, never judged")
    given: dict[str, float | int | str | list] = Field(
        default={}, description="numbers that the figure needs and no claim names"
    )
    claims: list[Claim] = []

    def by_id(self):
        """Id to claim."""
        found = {claim.id: claim for claim in self.claims}
        if len(found) < len(self.claims):
            raise ValueError("a claim's id is given twice")
        return found


def read_sign(path):
    """Read a room sign; an unknown key or a wrong value is refused with its name."""
    try:
        sign = Sign.model_validate(yaml.safe_load(Path(path).read_text()))
        sign.by_id()
    except pydantic.ValidationError as error:
        said = [f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()]
        raise ValueError(f"{path}: {'; '.join(said)}") from None
    except ValueError as error:
        raise ValueError(f"{path}: {error}") from None
    return sign


def read_tables(entries, folder):
    """Name to table, for the entries of a room sign."""

    def read(name):
        return step.read_table(Path(folder, f"{name}.parquet"))

    tables = {}
    for entry in entries:
        for name, parts in (entry if isinstance(entry, dict) else {entry: [entry]}).items():
            tables[name] = pd.concat([read(part) for part in parts], ignore_index=True)
    return tables


def examine(sign, judge, tables, rng, replicas=None):
    """Findings of a study: a judge sees its tables and its claims, never seconds.

    Parameters
    ----------
    sign : Sign
    judge : callable or None
    tables : dict of DataFrame
    rng : numpy.random.Generator
    replicas : dict of dict of DataFrame, optional
        Label of a further data set to its tables.
    """
    claims = sign.by_id()
    findings = sign.given | (judge(tables, claims, rng) if judge else {})
    again = {name: claim for name, claim in claims.items() if claim.replica}
    for label, found in (replicas or {}).items():
        findings[label] = sign.given | (judge(found, again, rng) if again else {})
    return findings


def main(judge=None, draw=None):
    """Judge and draw a study from its command line.

    Parameters
    ----------
    judge : callable, optional
        ``judge(tables, claims, rng) -> findings``; a study without claims needs none.
    draw : callable
        ``draw(findings, tables) -> figure, list of DataFrame``: what is drawn, for the CSV.
    """
    made = argparse.ArgumentParser(description=sys.modules["__main__"].__doc__)
    made.add_argument("verdicts", type=Path, help="JSON file to write")
    made.add_argument("figure", type=Path, help="SVG file to write, beside it PDF and CSV")
    made.add_argument("--tables", type=Path, required=True, help="folder of the paper's tables")
    made.add_argument(
        "--replica", type=Path, action="append", default=[], help="the same of a further data set"
    )
    made.add_argument("--scale", default="standard")
    made.add_argument("--seed", type=int, required=True, help="base seed")

    def run():
        args = made.parse_args()
        script = Path(sys.argv[0]).resolve()
        paper, name = script.parent.name, script.stem
        sign = read_sign(script.with_suffix(".yaml"))
        tables = read_tables(sign.tables, args.tables)
        rng = step.generator(args.seed, "studies", f"{paper}/{name}", 0)
        replicas = {
            images.KNOWN[folder.parent.name].label: read_tables(sign.replicate, folder)
            for folder in args.replica
        }
        findings = examine(sign, judge, tables, rng, replicas)
        about = (args.scale, args.figure)
        found = verdicts.rows(paper, name, sign.by_id(), findings, *about)
        shown = tables | read_tables(sign.timings, args.tables) | replicas
        fig, drawn = draw(findings, shown)
        style.save(fig, args.figure, [*drawn, *verdicts.drawn(found)], tables)
        with step.replacing(args.verdicts) as part:
            part.write_text(json.dumps(found, indent=1, ensure_ascii=False) + "\n")

    step.guarded(run)
