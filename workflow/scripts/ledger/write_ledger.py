"""Write the ledger: one page with every theorem, picture and verdict, for a browser, offline.

Beside ``index.html`` lie its style, its script, the figures as SVG and the data behind them as CSV;
the same folder as one file to send is ``ledger.zip``. Equal inputs give equal bytes: seconds and
machine come from ``provenance.json``.
"""

import argparse
import gzip
import html
import json
import math
import re
from collections import Counter, defaultdict
from pathlib import Path

import jinja2
import pandas as pd
import pyarrow.parquet as pq
import yaml

from workflow.closure import ROOT
from workflow.scripts import step
from workflow.scripts.ledger import console
from workflow.scripts.ledger.archive import pack
from workflow.scripts.ledger.theorem import to_html

TEMPLATES = ROOT / "workflow/report/ledger"
VERDICTS = {"holds": "✓", "fails": "✗", "inconclusive": "?"}
KINDS = {"claim": "claims", "control": "controls", "identity": "identities"}
HUGE = 1e99  # stands for infinity, which JSON has not
HEAVY = 20_000  # bytes of a CSV from which it is compressed
SAME = 1e-6  # relative difference of numbers that two runs of one machine do not have
WIDTH, HEIGHT = 240, 24  # of an interval's picture
# A line of text in a figure: what it says, as a comment, its place and its size.
TEXT = re.compile(
    r"<!-- ((?:(?!-->).)*) -->\s*(?:<g[^>]*>\s*)?"
    r'<g transform="translate\((\S+) (\S+)\) scale\((\S+)',
)


def write(folder, results, figures, signs, committed=None, report=None):
    """Write the page and what lies beside it; files of an earlier page are replaced or removed.

    Parameters
    ----------
    folder : Path
    results, figures : Path
        Of the run that is shown.
    signs : list of path
        Room signs of its studies, in the order to show.
    committed : path, optional
        Verdicts of the run that the repository keeps, to be compared with.
    report : path, optional
        The first page of Snakemake's report, reStructuredText, which says what came out.

    Returns
    -------
    list of Path
        What was written into `folder`, the page last.
    """
    claims = read_claims(results / "claims.csv")
    made = step.read_json(results / "provenance.json")
    papers = _papers(list(map(Path, signs)), claims, results, figures, made["scale"])
    rows = [row for paper in papers for row in paper["rows"]]
    page = {
        "papers": papers,
        "rows": rows,
        "different": [row for row in rows if not row["as_expected"]],
        "made": made,
        "seconds": sum(job["seconds"] or 0 for job in made["jobs"].values()),
        "sources": Counter(claims.data),
        "compared": _compare(claims, committed, made["scale"]),
        "symbols": VERDICTS,
        "kinds": KINDS,
        "url": _repository(made["revision"]),
    }
    files = {name: (TEMPLATES / name).read_bytes() for name in ("ledger.css", "ledger.js")}
    files["claims.csv"] = (results / "claims.csv").read_bytes()
    for paper in papers:
        files[f"{paper['key']}/verdicts.svg"] = _picture(figures / paper["key"] / "verdicts.svg")
        for study in paper["studies"]:
            path = figures / paper["key"] / study["name"]
            files[study["svg"]] = _picture(path.with_suffix(".svg"))
            files[study["csv"]] = _data(path.with_suffix(".csv"), study["csv"])
    if report:
        words = _template("report.rst.j2").render(page, page=folder / "index.html")
        with step.replacing(report) as part:
            part.write_text(words)
    # The page last: as long as it is the old one, so is nothing that it names gone.
    files["index.html"] = _template("index.html.j2").render(page).encode()
    return _place(folder, files)


def strip(row):
    """Where an interval and the band of its criterion lie in a picture of the two.

    Parameters
    ----------
    row : dict
        A verdict, with the keys of ``claims.csv``.

    Returns
    -------
    dict or None
        Coordinates from 0 to `WIDTH`: `band` and `interval`, two numbers each, and `value`; None
        where nothing was measured.
    """
    if row["measured"] is None:
        return None
    edges = [float(number) for number in re.findall(r"-?\d[\d.e+-]*", row["bound"])]
    low = row["measured"] if row["ci_low"] is None else row["ci_low"]
    high = row["measured"] if row["ci_high"] is None else row["ci_high"]
    shown = [*edges, low, high, row["measured"]]
    least, most = min(shown), max(shown)
    margin = (most - least) / 6 or abs(most) or 1.0
    scale = WIDTH / (most - least + 2 * margin)

    def at(value):
        return round((value - least + margin) * scale, 1)

    ends = [at(edge) for edge in edges]
    if row["bound"].startswith(">="):
        ends = [ends[0], WIDTH]
    elif row["bound"].startswith("<="):
        ends = [0, ends[0]]
    return {"band": ends, "interval": [at(low), at(high)], "value": at(row["measured"])}


def controlled(name, claims, of=None):
    """Ids of the claims whose hypothesis a control breaks: 9x breaks that of 9, Z1x all of Z1-*.

    Parameters
    ----------
    name : str
        Id of a control.
    claims : iterable of str
        Ids of its paper that are no controls.
    of : str, optional
        What its room sign says where the id does not tell.
    """
    found = re.fullmatch(r"(.+?)[xyz](-.+)?", name)
    if not (of or found):
        return []
    base, part = (of, "") if of else (found[1], found[2] or "")
    exact = [claim for claim in claims if claim == base + part]
    return exact or [claim for claim in claims if claim == base or claim.startswith(f"{base}-")]


def said(value):
    """A number in three digits, with a true minus sign; what stands for infinity as such."""
    text = "\N{INFINITY}" if abs(value) >= HUGE else f"{abs(value):.3g}"
    text = text.replace("-", "\N{MINUS SIGN}")
    return f"\N{MINUS SIGN}{text}" if value < 0 else text


def seen(svg):
    """What a figure says: the titles of its panels, from the comments that matplotlib writes.

    Parameters
    ----------
    svg : str
        The file's content.
    """
    titles, last = [], None
    for line, x, y, size in TEXT.findall(svg):
        below = (
            last and last[::2] == (x, size) and 0 < float(y) - float(last[1]) < 200 * float(size)
        )
        if re.match(r"\$\\mathbf\{\([a-z]\)\}\$ ", line):
            titles.append(line)
        elif titles and below:  # a title of several lines
            titles[-1] += f" {line}"
        else:
            last = None
            continue
        last = x, y, size
    return ". ".join(_spoken(html.unescape(title)) for title in titles)


def _spoken(text):
    """Words for the formulas in a figure's title, as far as a screen reader needs them."""
    text = re.sub(r"\\math\w+\{([^{}]*)\}", r"\1", text).replace(r"\|", "‖")
    text = re.sub(r"\\([%&])", r"\1", re.sub(r"\\[,;:! ]", " ", text))
    text = re.sub(r"\\leq?\b", "≤", re.sub(r"\\geq?\b", "≥", text)).replace(r"\times", "×")
    text = re.sub(r"[${}]", "", re.sub(r"\\([A-Za-z]+)", r" \1 ", text))
    return re.sub(" (?=[_^])", "", " ".join(text.split()))


def read_claims(path):
    """The verdicts as a table, missing numbers and texts told apart."""
    with step.reading(path):
        claims = pd.read_csv(path, dtype={"id": str}, keep_default_na=False, na_values=[""])
    # A table of an earlier version has fewer columns.
    words = [name for name in ("note", "amended", "control_of") if name in claims]
    claims[words] = claims[words].astype(object).fillna("")
    return claims


def _papers(signs, claims, results, figures, scale):
    """What the page says of every paper: its verdicts, and its studies with theirs."""
    rows = _rows(claims)
    references = _references()
    papers = {}
    for path in signs:
        key, name = path.parent.name, path.stem
        paper = papers.setdefault(
            key,
            {
                "key": key,
                "reference": references.get(key, {}),
                "rows": [row for row in rows if row["paper"] == key],
                "forest": f"{key}/verdicts.svg",
                "studies": [],
            },
        )
        sign = yaml.safe_load(path.read_text())
        words = {key: " ".join(sign[key].split()) for key in ("question", "plain", "caption")}
        figure = figures / key / name
        heavy = figure.with_suffix(".csv").stat().st_size > HEAVY
        paper["studies"].append(
            words
            | {
                "name": name,
                "anchor": f"{key}-{name}",
                "theorem": to_html(sign["theorem"]) if sign.get("theorem") else "",
                "rows": _beside([row for row in paper["rows"] if row["study"] == name]),
                "svg": f"{key}/{name}.svg",
                "csv": f"{key}/{name}.csv" + (".gz" if heavy else ""),
                "alt": seen(figure.with_suffix(".svg").read_text()) or words["caption"],
                "command": _command(figure.with_suffix(".svg"), scale),
                "sources": _sources(key, name, sign, results),
            }
        )
    return list(papers.values())


def _rows(claims):
    """Verdicts as the page shows them, with the controls of every claim."""
    rows = claims.astype(object).where(claims.notna(), None).to_dict("records")
    first = {}
    for row in rows:
        name = f"{row['paper']}-{row['id']}"
        again = first.setdefault(name, row["data"]) != row["data"]
        interval = ""
        if row["ci_low"] is not None and row["ci_high"] is not None:
            interval = f" [{said(row['ci_low'])},\N{NO-BREAK SPACE}{said(row['ci_high'])}]"
        row |= {
            "anchor": name
            + (f"-{re.sub('[^a-z0-9]+', '-', row['data'].lower())}" if again else ""),
            "again": again,
            "number": "" if row["measured"] is None else said(row["measured"]) + interval,
            "band": _band(row["bound"]),
            "strip": strip(row),
            "as_expected": row["verdict"] == row["expected"],
            "controls": [],
            "claims": [],
        }
    by_name = defaultdict(list)
    for row in rows:
        by_name[row["paper"], row["id"]].append(row)
    for control in rows:
        if control["kind"] != "control":
            continue
        paper, data = control["paper"], control["data"]
        names = [row["id"] for row in rows if row["paper"] == paper and row["kind"] != "control"]
        own = {row["data"] for row in by_name[paper, control["id"]]}
        for name in dict.fromkeys(controlled(control["id"], names, control["control_of"])):
            # On further data beside the control there, where it was repeated.
            same = [row for row in by_name[paper, name] if row["data"] == data]
            rest = [row for row in by_name[paper, name] if row["data"] not in own]
            for row in same + ([] if control["again"] else rest):
                row["controls"].append(control)
            control["claims"].append((same or by_name[paper, name])[0])
    return rows


def _band(bound):
    """A criterion's band with the signs of mathematics."""
    signs = {">= ": "≥\N{NO-BREAK SPACE}", "<= ": "≤\N{NO-BREAK SPACE}", "-": "\N{MINUS SIGN}"}
    for plain, sign in signs.items():
        bound = bound.replace(plain, sign)
    return bound


def _beside(rows):
    """A study's verdicts, every control behind the last of the claims that it belongs to."""
    found = [row for row in rows if row["kind"] != "control"]
    for control in [row for row in rows if row["kind"] == "control"]:
        mine = {row["id"] for row in control["claims"]} | {control["id"]}
        end = max((i + 1 for i, row in enumerate(found) if row["id"] in mine), default=len(found))
        while end < len(found) and found[end]["kind"] == "control":
            end += 1
        found.insert(end, control)
    return found


def _sources(paper, name, sign, results):
    """Files to read: the study's own, and the steps that made its tables."""
    steps = {}
    for entry in sign["tables"]:
        for table in next(iter(entry.values())) if isinstance(entry, dict) else [entry]:
            # A table that is gone is needed by nobody any more.
            if (path := results / paper / f"{table}.parquet").exists():
                with step.reading(path):
                    made = (pq.read_schema(path).metadata or {}).get(b"cnntheory", b"{}")
                steps[json.loads(made).get("step")] = None
    study = f"workflow/studies/{paper}/{name}"
    return {"study": [f"{study}.yaml", f"{study}.py"], "steps": [path for path in steps if path]}


def _command(figure, scale):
    """What to type to make just this figure again."""
    more = "" if scale == "standard" else f" --configfile config/{scale}.yaml"
    return f"snakemake --cores all --force {figure.as_posix()}{more}"


def _references():
    """Key of a paper to its reference in CITATION.cff: the first author's name and the year."""
    found = {}
    for entry in yaml.safe_load((ROOT / "CITATION.cff").read_text())["references"]:
        names = [author["family-names"] for author in entry["authors"]]
        key = re.sub("[^a-z]", "", names[0].lower()) + str(entry["year"])
        numbers = [known["value"] for known in entry.get("identifiers", [])]
        arxiv = next((text[6:] for text in numbers if text.startswith("arXiv:")), None)
        authors = ", ".join(names[:-1]) + f" & {names[-1]}"
        found[key] = {"authors": authors, "title": entry["title"], "year": entry["year"]}
        found[key]["arxiv"] = arxiv
    return found


def _repository(revision):
    """Where the files of this revision can be read, None where CITATION.cff names no repository."""
    url = yaml.safe_load((ROOT / "CITATION.cff").read_text()).get("repository-code")
    return f"{url.rstrip('/')}/blob/{revision or 'main'}" if url else None


def _compare(claims, committed, scale):
    """What differs from the run that the repository keeps, None where there is nothing to compare.

    Returns
    -------
    dict or None
        `verdicts`, a list of (paper, id, data, before, now); `numbers`, how many others differ.
    """
    if not committed or not Path(committed).exists():
        return None
    if scale != "standard":
        return {"scale": scale}
    key = ["paper", "id", "data"]
    before, now = (
        table.drop_duplicates(key).set_index(key) for table in (read_claims(committed), claims)
    )
    both = before.join(now, how="outer", lsuffix="_before", rsuffix="_now").sort_index()
    # Only runs of what is shown are compared: other papers were not asked for.
    both = both[both.index.get_level_values("paper").isin(set(claims.paper))]
    verdicts, numbers = [], 0
    for name, row in both.iterrows():
        pair = [
            None if pd.isna(row[column]) else row[column]
            for column in ("verdict_before", "verdict_now")
        ]
        if pair[0] != pair[1]:
            verdicts.append((*name, *pair))
        elif not math.isclose(row.measured_before, row.measured_now, rel_tol=SAME, abs_tol=1e-12):
            numbers += not (pd.isna(row.measured_before) and pd.isna(row.measured_now))
    return {"verdicts": verdicts, "numbers": numbers}


def _picture(path):
    with step.reading(path):
        return re.sub("<!--.*?-->", "", path.read_text(), flags=re.S).encode()


def _data(path, name):
    content = path.read_bytes()
    return gzip.compress(content, 9, mtime=0) if name.endswith(".gz") else content


def _template(name):
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(TEMPLATES),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )
    made.filters |= {"said": said, "time": console.duration}
    made.globals |= {"width": WIDTH, "height": HEIGHT}
    return made.get_template(name)


def _place(folder, files):
    """Put the files of a page in place, each whole, and remove those of an earlier page."""
    written = []
    for name, content in files.items():
        with step.replacing(folder / name) as part:
            part.write_bytes(content)
        written.append(folder / name)
    for path in sorted(folder.rglob("*"), reverse=True):
        if path.is_file() and path not in written:
            path.unlink()
        elif path.is_dir() and not any(path.iterdir()):
            path.rmdir()
    return written


def run():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("page", type=Path, help="HTML file to write, what it shows beside it")
    parser.add_argument("archive", type=Path, help="the same in one file, ZIP")
    parser.add_argument("report", type=Path, help="first page of Snakemake's report")
    parser.add_argument("--results", type=Path, required=True)
    parser.add_argument("--figures", type=Path, required=True)
    parser.add_argument("--signs", type=Path, required=True, nargs="+", help="YAML of the studies")
    parser.add_argument("--committed", type=Path, help="verdicts to compare with, CSV")
    args = parser.parse_args()
    folder = args.page.parent
    files = write(folder, args.results, args.figures, args.signs, args.committed, args.report)
    pack(files, folder, args.archive)


if __name__ == "__main__":
    step.guarded(run)
