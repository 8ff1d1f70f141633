"""Copy the figures and the claims table of the last standard run into docs/gallery and README.md.

Run by ``make gallery``. Refuses results that are not of the standard scale, on MNIST, and complete,
so that what the README shows is what decides the claims.
"""

import shutil
import sys
from pathlib import Path

import pandas as pd
from tabulate import tabulate

ROOT = Path(__file__).resolve().parents[1]
GALLERY = ROOT / "docs" / "gallery"
CLAIMS = ROOT / "results" / "claims.csv"
BEGIN, END = "<!-- claims table: begin (make gallery) -->", "<!-- claims table: end -->"


def check(claims):
    """Refuse claims that are not what the README may show."""
    if set(claims.scale) != {"standard"}:
        sys.exit(
            f"{CLAIMS}: expected the standard scale, found {set(claims.scale)}; run make figures"
        )
    if other := set(claims.data) - {"synthetic", "MNIST"}:
        sys.exit(f"{CLAIMS}: expected MNIST, found {other}; set MNIST_DIR and run make figures")
    missing = [figure for figure in claims.figure if not (ROOT / figure).exists()]
    if missing:
        sys.exit(f"missing {', '.join(missing)}; run make figures")


def copy_figures():
    """Replace the gallery by the SVGs of the last run."""
    shutil.rmtree(GALLERY, ignore_errors=True)
    for figure in sorted(ROOT.glob("figures/*/*.svg")):
        target = GALLERY / figure.parent.name / figure.name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(figure, target)


def table(claims):
    """The claims as a Markdown table."""
    rows = []
    for claim in claims.itertuples():
        figure = Path(claim.figure)
        interval = "" if pd.isna(claim.ci_low) else f" [{claim.ci_low:.3g}, {claim.ci_high:.3g}]"
        verdict = (
            claim.verdict
            if claim.verdict == claim.expected
            else (f"**{claim.verdict}**, expected {claim.expected}")
        )
        kind = " (control)" if claim.kind == "control" else ""
        rows.append(
            {
                "id": claim.id,
                "statement": claim.statement.replace("|", "\\|") + kind,
                "source": claim.provenance,
                "measured": f"{claim.measured:.3g}{interval}",
                "criterion": claim.bound,
                "verdict": verdict,
                "figure": f"[{figure.stem}](docs/gallery/{figure.parent.name}/{figure.name})",
            }
        )
    return tabulate(rows, headers="keys", tablefmt="github", disable_numparse=True)


def main():
    if not CLAIMS.exists():
        sys.exit(f"{CLAIMS} is missing; run make figures")
    claims = pd.read_csv(CLAIMS, dtype={"id": str})
    check(claims)
    copy_figures()
    readme = ROOT / "README.md"
    text = readme.read_text()
    head, rest = text.split(BEGIN)
    _, tail = rest.split(END)
    parts = []
    for paper, rows in claims.groupby("paper", sort=False):
        parts.append(f"**{paper}**\n\n{table(rows)}")
    readme.write_text(f"{head}{BEGIN}\n\n" + "\n\n".join(parts) + f"\n\n{END}{tail}")
    print(f"{len(claims)} verdicts in README.md, figures in {GALLERY.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
