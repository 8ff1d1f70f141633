"""The ledger: one page with every theorem, picture and verdict, and what a run says in the end."""

import csv
import json
import re
import shutil
import subprocess
import xml.etree.ElementTree as ET
import zipfile
from html.parser import HTMLParser
from pathlib import Path

import pandas as pd
import pytest
import yaml

from cnntheory import images
from workflow.configuration import studies
from workflow.scripts.ledger import archive, console, theorem, write_ledger
from workflow.studies import style, verdicts
from workflow.studies.slim import slim

ROOT = Path(__file__).resolve().parents[2]
LIMIT = 10_000_000  # bytes of the page and all beside it
VOID = {"meta", "link", "br", "img", "input", "hr"}
HOSTILE = """</script><script>alert(1)</script><img src=x onerror="alert(1)"> & 'so' {{ 7 * 7 }}"""
THEOREMS = {
    f"{paper}/{name}": sign["theorem"]
    for paper, signs in studies().items()
    for name, sign in signs.items()
    if "theorem" in sign
}
CHROMIUM = next(
    filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None
)


class Page(HTMLParser):
    """What a page holds, read with HTML's rules; elements have to be closed in their order."""

    def __init__(self, path):
        super().__init__()
        self.elements, self.open, self.text = [], [], ""
        self.feed(path.read_text())
        self.close()
        assert not self.open, self.open

    def handle_starttag(self, tag, attrs):
        self.elements.append((tag, dict(attrs), list(self.open)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):  # in SVG only
        assert "svg" in self.open, tag
        self.elements.append((tag, dict(attrs), list(self.open)))

    def handle_endtag(self, tag):
        assert self.open and self.open.pop() == tag, (tag, self.getpos())

    def handle_data(self, data):
        self.text += data

    def all(self, tag):
        return [attrs for found, attrs, _ in self.elements if found == tag]

    def values(self, name):
        return [attrs[name] for _, attrs, _ in self.elements if name in attrs]


def verdict(claim, paper, study, **more):
    """A row of ``claims.csv`` for a claim of a room sign, as expected unless told otherwise."""
    row = dict.fromkeys(verdicts.COLUMNS, "") | {
        key: claim[key] for key in verdicts.COLUMNS if key in claim
    }
    bounds = {"bound": verdicts.band(pd.Series({"at_least": None, "at_most": None} | claim))}
    row |= bounds | {"paper": paper, "study": study, "measured": 0.5, "ci_low": 0.25, "ci_high": 1}
    row |= {"scale": "standard", "seeds": 20, "data": "synthetic", "verdict": claim["expected"]}
    return row | more


def a_run(folder, rows, signs, figure, scale="standard"):
    """Results and figures of a run with these verdicts; every figure is a copy of one."""
    results, figures = folder / "results", folder / "figures"
    results.mkdir(parents=True)
    with open(results / "claims.csv", "w", newline="") as file:
        table = csv.DictWriter(file, verdicts.COLUMNS)
        table.writeheader()
        table.writerows(rows)
    made = {
        "date": "2026-11-27",
        "scale": scale,
        "seed": 7,
        "revision": "0123456789abcdef",
        "modified": False,
    }
    made |= {"python": "3.11.7", "system": "Linux-6.1-x", "machine": "x86_64", "cores": 2}
    made |= {"packages": {"cnntheory": "0.2.0", "torch": None}}
    made["jobs"] = {"du2018/rate": {"seconds": 3725.0, "peak_memory_mib": 1.0}}
    (results / "provenance.json").write_text(json.dumps(made))
    for sign in signs:
        for name in (sign.stem, "verdicts"):
            for suffix in (".svg", ".csv"):
                path = figures / sign.parent.name / f"{name}{suffix}"
                path.parent.mkdir(parents=True, exist_ok=True)
                shutil.copyfile(figure.with_suffix(suffix), path)
    return results, figures


@pytest.fixture(scope="module")
def figure(tmp_path_factory):
    """A figure as matplotlib writes it, with titles as studies give them."""
    fig, axes = style.plt.subplots(1, 2, figsize=(4, 2), layout="constrained")
    for axis, letter in zip(axes, "ab", strict=True):
        axis.plot([0, 1, 2], [0.1234567, 1, 0.5], "o-", label=r"$\gamma$")
        head = rf"$\mathbf{{({letter})}}$ loss falls, \& $\gamma_{{cross}} \leq 3\,\mu$"
        axis.set_title(f"{head}\nin {letter}", loc="left")
        axis.text(0, 0.2, "20 seeds")
    path = tmp_path_factory.mktemp("figure") / "one.svg"
    fig.savefig(path, metadata={"Date": None})
    path.with_suffix(".csv").write_text("x\n1.5\n")
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory, figure):
    """A page of all studies of the repository, with made-up numbers: its folder and its rows."""
    folder = tmp_path_factory.mktemp("whole")
    signs = [
        ROOT / f"workflow/studies/{paper}/{name}.yaml"
        for paper, found in studies().items()
        for name in found
    ]
    rows = []
    for path in signs:
        for claim in yaml.safe_load(path.read_text()).get("claims", []):
            about = (path.parent.name, path.stem)
            rows.append(verdict(claim, *about))
            if claim.get("replica"):
                again = {"verdict": claim["replica"], "expected": claim["replica"]}
                rows.append(verdict(claim, *about, data=images.FASHION, **again))
    results, figures = a_run(folder, rows, signs, figure)
    write_ledger.write(folder / "ledger", results, figures, signs)
    return folder / "ledger", rows


@pytest.fixture
def small(tmp_path, figure):
    """``small(rows, words=.., committed=.., scale=..)``: files of a page of one made-up study."""

    def make(rows, words=None, committed=None, scale="standard", name="page"):
        sign = tmp_path / name / "studies/du2018/rate.yaml"
        sign.parent.mkdir(parents=True)
        about = {"question": "Why?", "plain": "So.", "caption": "Dots.", "tables": ["rate"]}
        sign.write_text(yaml.safe_dump(about | (words or {})))
        results, figures = a_run(tmp_path / name, rows, [sign], figure, scale)
        before = None
        if committed is not None:
            before = tmp_path / name / "committed.csv"
            pd.DataFrame(committed, columns=verdicts.COLUMNS).to_csv(before, index=False)
        return write_ledger.write(tmp_path / name / "ledger", results, figures, [sign], before)

    return make


def claim(name="1", kind="claim", expected="holds", at_least=0.2, **more):
    """A made-up claim as in a room sign."""
    words = {"statement": f"statement of {name}", "source": "Theorem 1", "provenance": "derived"}
    words |= {"criterion": "the share", "note": "", "amended": ""}
    return words | {"id": name, "kind": kind, "expected": expected, "at_least": at_least} | more


def row(*words, **more):
    """A made-up verdict."""
    keys = set(verdicts.COLUMNS) & set(more) - {"kind", "expected"}
    about = {key: value for key, value in more.items() if key not in keys}
    return verdict(claim(*words, **about), "du2018", "rate", **{key: more[key] for key in keys})


# The page


def test_every_claim_and_study_can_be_linked_to(whole):
    folder, rows = whole
    page = Page(folder / "index.html")
    ids = page.values("id")
    assert len(set(ids)) == len(ids)
    wanted = {f"{paper}-{name}" for paper, signs in studies().items() for name in signs}
    first = set()
    for made in rows:
        name = f"{made['paper']}-{made['id']}"
        wanted.add(name if name not in first else f"{name}-fashion-mnist")
        first.add(name)
    assert wanted <= set(ids) and len(wanted) > 250
    targets = {href[1:] for href in page.values("href") if href.startswith("#")}
    assert wanted <= targets <= set(ids)


def test_the_table_is_complete_without_the_script(whole):
    folder, rows = whole
    page = Page(folder / "index.html")
    shown = [attrs for attrs in page.all("tr") if "data-kind" in attrs]
    assert len(shown) == len(rows)
    assert [attrs["data-verdict"] for attrs in shown] == [made["verdict"] for made in rows]
    assert not any("hidden" in attrs for attrs in shown)
    # The filter, which needs the script, is shown by it.
    (form,) = page.all("form")
    assert "hidden" in form
    names = {name[5:] for attrs in shown for name in attrs if name.startswith("data-")}
    assert {attrs["name"] for attrs in page.all("select")} == names


def test_nothing_is_asked_of_a_network_and_nothing_is_missing(whole):
    folder, _ = whole
    page = Page(folder / "index.html")
    asked = [attrs["src"] for attrs in (*page.all("script"), *page.all("img"))]
    asked += [attrs["href"] for attrs in page.all("link")]
    asked += [
        href for href in page.values("href") if not href.startswith(("#", "https://arxiv.org/abs/"))
    ]
    assert len(asked) > 3 * len(THEOREMS)
    for path in set(asked) - {"data:,"}:
        assert (folder / path).is_file(), path
    for name in ("ledger.css", "ledger.js"):
        text = (folder / name).read_text()
        assert not re.search(r"https?:|@import|url\(|fetch|XMLHttp|import\(", text), name


def test_pictures_are_lazy_linked_and_described(whole):
    folder, _ = whole
    page = Page(folder / "index.html")
    pictures = page.all("img")
    assert len(pictures) == sum(len(signs) for signs in studies().values()) + len(studies())
    links = page.values("href")
    for attrs in pictures:
        assert attrs["loading"] == "lazy" and attrs["src"] in links
        assert len(attrs["alt"].split()) > 5
    said = "(a) loss falls, & gamma_cross ≤ 3 mu in a. (b) loss falls, & gamma_cross ≤ 3 mu in b"
    assert said in [attrs["alt"] for attrs in pictures]


def test_the_page_and_all_beside_it_are_small(whole):
    for folder in (whole[0], ROOT / "docs/ledger"):
        sizes = {path: path.stat().st_size for path in folder.rglob("*") if path.is_file()}
        assert len(sizes) > 100 and sum(sizes.values()) < LIMIT, folder


def test_equal_results_give_equal_bytes(small, tmp_path):
    made = []
    for name in ("one", "two"):
        files = small([row("1"), row("1x", "control", "fails")], name=name)
        archive.pack(files, files[-1].parent, tmp_path / name / "ledger.zip")
        pages = {path.relative_to(files[-1].parent): path.read_bytes() for path in files}
        # The figure's path stands in the command.
        pages[Path("index.html")] = files[-1].read_bytes().replace(b"/one/", b"/two/")
        made.append((pages, tmp_path / name / "ledger.zip"))
    assert made[0][0] == made[1][0]
    names = [zipfile.ZipFile(path).namelist() for _, path in made]
    files = sorted(f"ledger/{path.as_posix()}" for path in made[0][0])
    assert names[0] == names[1] == [*files, f"ledger/{archive.SUMS}"]


def test_hostile_texts_are_shown_and_do_nothing(small):
    words = {
        "question": HOSTILE,
        "plain": HOSTILE,
        "caption": HOSTILE,
        "theorem": "Theorem <b>1</b>: w",
    }
    texts = {key: HOSTILE for key in ("statement", "source", "criterion", "note", "amended")}
    page = Page(small([row("1", **texts), row("1x", "control", "fails")], words)[-1])
    assert [attrs for attrs in page.all("script")] == [{"src": "ledger.js", "defer": None}]
    assert {attrs["src"] for attrs in page.all("img")} == {"du2018/rate.svg", "du2018/verdicts.svg"}
    assert not page.all("b") and not [
        name for _, attrs, _ in page.elements for name in attrs if name[:2] == "on"
    ]
    assert page.text.count(HOSTILE) >= 8


def test_what_differs_is_named(small):
    same = Page(small([row("1"), row("2")], name="same")[-1])
    assert "2 verdicts:\nall as expected." in same.text and "expected: " not in same.text
    rows = [row("1"), row("2", verdict="fails"), row("3", verdict="inconclusive")]
    page = small(rows, name="other")[-1].read_text()
    (summary,) = re.findall(r'<p class="summary">.+?</p>', page, re.S)
    assert "2 differ from what was expected" in summary
    assert re.findall(r'href="#(.+?)"', summary) == ["du2018-2", "du2018-3"]
    assert (
        page.count('<strong class="surprise">expected: holds</strong>') == 4
    )  # there and in the table


def test_what_differs_from_the_committed_run_is_named(small):
    rows = [row("1"), row("2", measured=0.75), row("3")]
    before = [row("1", verdict="inconclusive"), row("2"), row("4")]
    text = " ".join(Page(small(rows, committed=before)[-1]).text.split())
    assert "3 verdicts differ from docs/claims.csv; 1 more have another measured number" in text
    assert "du2018 1 (synthetic): inconclusive in the committed run, holds now" in text
    assert "du2018 3 (synthetic): not there in the committed run, holds now" in text
    assert "du2018 4 (synthetic): holds in the committed run, not there now" in text
    same = Page(small(rows, committed=rows, name="same")[-1]).text
    assert "No verdict differs from docs/claims.csv, and no measured number." in " ".join(
        same.split()
    )
    quick = Page(small(rows, committed=rows, scale="quick", name="quick")[-1]).text
    assert "not compared with it" in quick and "decides no claim" in quick


def test_kinds_are_counted_apart(small):
    rows = [
        row("1"),
        row("2", verdict="fails"),
        row("1x", "control", "fails"),
        row("3", "identity"),
    ]
    page = small(rows)[-1].read_text()
    for kind, counts in {"claims": "11011", "controls": "01010", "identities": "10010"}.items():
        cells = "".join(f"<td>{count}</td>" for count in counts)
        assert f'<th scope="row">{kind}</th>{cells}</tr>' in page


def test_a_control_stands_beside_its_claim_and_each_names_the_other(small):
    rows = [row("1x", "control", "fails"), row("1"), row("2"), row("1y", "control", "fails")]
    page = small(rows)[-1].read_text()
    assert re.findall(r'<article class="claim .+? id="du2018-(.+?)">', page) == [
        "1",
        "1x",
        "1y",
        "2",
    ]
    first = page[page.index('id="du2018-1"') : page.index('id="du2018-1x"')]
    assert 'href="#du2018-1x">1x</a> fails, as it must; <a href="#du2018-1y">1y</a>' in first
    second = page[page.index('id="du2018-1x"') : page.index('id="du2018-1y"')]
    assert re.search(r'control of</dt><dd><a href="#du2018-1">1</a></dd>', second)
    assert "none of its own" in page[page.index('id="du2018-2"') :]


@pytest.mark.parametrize(
    ("control", "claims"),
    [
        ("9x", ["9"]),
        ("9dx", ["9d"]),
        ("Z1x", ["Z1-relu", "Z1-tanh"]),
        ("P15x-conv", ["P15-conv"]),
        ("P15x", ["P15-fully", "P15-conv"]),
        ("N1-linear", []),
        ("7x", []),
    ],
)
def test_controls_belong_to_claims_by_their_ids(control, claims):
    known = ["9", "9b", "9d", "90", "Z1-relu", "Z1-tanh", "P15-fully", "P15-conv", "1"]
    assert write_ledger.controlled(control, known) == claims


def test_a_control_says_itself_what_its_id_does_not():
    known = ["1", "1b-max", "1b-average", "9"]
    assert write_ledger.controlled("N3", known, of="9") == ["9"]
    assert write_ledger.controlled("1y", known, of="1b") == ["1b-max", "1b-average"]


@pytest.mark.parametrize("paper", studies())
def test_every_control_belongs_to_a_claim(paper):
    claims = [claim for sign in studies()[paper].values() for claim in sign.get("claims", [])]
    others = [claim["id"] for claim in claims if claim["kind"] != "control"]
    for claim in claims:
        if claim["kind"] == "control":
            assert write_ledger.controlled(claim["id"], others, claim.get("control_of")), claim[
                "id"
            ]


@pytest.mark.parametrize(
    ("number", "text"),
    [(1e99, "∞"), (-2e99, "−∞"), (-1.5e-7, "−1.5e−07"), (0.25, "0.25"), (0, "0")],
)
def test_a_number_is_said_in_three_digits(number, text):
    assert write_ledger.said(number) == text


def test_of_a_figure_the_titles_are_said_and_nothing_else():
    svg = "".join(
        f'<!-- {line} --><g transform="translate(1 {y}) scale({size} -{size})">'
        for line, y, size in (
            (r"$\mathbf{(a)}$ the error falls as $n^{-1/2}$,", 10, 0.08),
            ("in both laws", 20, 0.08),
            ("(a) median", 40, 0.065),
            (r"$\mathbf{(b)}$ so does its bound", 50, 0.08),
        )
    )
    assert (
        write_ledger.seen(svg)
        == "(a) the error falls as n^-1/2, in both laws. (b) so does its bound"
    )


@pytest.mark.parametrize(
    ("bound", "interval", "inside"),
    [
        (">= 0.2", (0.25, 1), True),
        ("<= 0.2", (0.25, 1), False),
        ("<= 1", (0.25, 1), True),
        (">= 1e-06", (-3, -2), False),
        ("in [-1, 1]", (-0.5, 0.5), True),
        ("in [-1, 1e3]", (2000, 3000), False),
    ],
)
def test_an_interval_is_drawn_where_its_verdict_says(bound, interval, inside):
    low, high = interval
    found = {"bound": bound, "measured": (low + high) / 2, "ci_low": low, "ci_high": high}
    drawn = write_ledger.strip(found)
    (left, right), (start, end) = drawn["band"], drawn["interval"]
    assert 0 <= start < drawn["value"] < end <= write_ledger.WIDTH
    assert (left <= start and end <= right) == inside
    assert inside or end < left or right < start


def test_a_number_that_is_not_there_is_not_drawn(small):
    page = small([row("1", measured="", ci_low="", ci_high="", verdict="inconclusive")])[
        -1
    ].read_text()
    assert "nan" not in page.lower().replace("provenance", "")
    article = page[page.index('id="du2018-1"') :]
    assert "<svg" not in article and "<td>–</td>" in page


def test_the_command_makes_just_this_figure_again(small, fresh, snakemake):
    for scale, more in {"standard": "", "quick": " --configfile config/quick.yaml"}.items():
        page = Page(small([row("1")], scale=scale, name=scale)[-1])
        found = re.findall(r"snakemake --cores all --force \S+/du2018/rate.svg(.*)", page.text)
        assert found == [more]
    target = "results/quick/figures/du2018/closeness.svg"
    done = snakemake(fresh, "--cores", "all", "--force", target, "--dry-run")
    assert done.returncode == 0, done.stdout
    assert set(re.findall(r"^study +(\d+)$", done.stdout, re.M)) == {"1"}


def test_files_of_an_earlier_page_go(small, tmp_path):
    left = tmp_path / "page/ledger/du2000/old.svg"
    left.parent.mkdir(parents=True)
    left.touch()
    files = small([row("1")])
    assert set(files) == {path for path in files[-1].parent.rglob("*") if path.is_file()}
    assert not left.parent.exists()


@pytest.mark.skipif(CHROMIUM is None, reason="no Chromium is installed")
def test_in_a_browser_the_filter_does_what_the_address_says(small, tmp_path):
    page = small([row("1"), row("1x", "control", "fails"), row("2", verdict="fails")])[-1]

    def shown(address):
        words = [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--user-data-dir={tmp_path}/profile",
        ]
        words += [
            "--enable-logging=stderr",
            "--virtual-time-budget=2000",
            "--dump-dom",
            page.as_uri() + address,
        ]
        done = subprocess.run(words, capture_output=True, text=True, timeout=120)
        assert "CONSOLE" not in done.stderr, done.stderr
        rows = re.findall(r"<tr data-paper[^>]*>", done.stdout)
        assert len(rows) == 3, done.stderr
        said = re.search(r"<output[^>]*>(.+?)</output>", done.stdout)[1]
        return [" hidden" not in text for text in rows], said

    assert shown("") == ([True, True, True], "3 of 3 verdicts")
    assert shown("#filter:kind=control") == ([False, True, False], "1 of 3 verdicts")
    assert shown("#filter:text=STATEMENT+of+2&verdict=fails&kind=claim") == (
        [False, False, True],
        "1 of 3 verdicts",
    )
    assert shown("#du2018-1x")[1] == "3 of 3 verdicts"


# Theorems


@pytest.mark.parametrize("name", THEOREMS)
def test_every_theorem_is_words_and_well_formed_mathematics(name):
    made = theorem.to_html(THEOREMS[name])
    tree = ET.fromstring(f"<p>{made}</p>")
    said = "".join(tree.itertext())
    assert "\\" not in said
    # A word that is taken for mathematics is a product of its letters, in italics.
    math = "{http://www.w3.org/1998/Math/MathML}"
    for group in tree.iter():
        letters = [child.text if child.tag == f"{math}mi" else " " for child in group]
        product = "".join(letter if len(letter) == 1 else " " for letter in letters)
        assert not re.search(r"\b(of|to|as|is|in|by|at|the|for|and|with|it)\b", product), product
    words = [text for is_math, text in theorem.pieces(THEOREMS[name]) if not is_math]
    assert not re.search(r"[\\_^{}]", " ".join(words))


@pytest.mark.parametrize(
    ("text", "formulas"),
    [
        ("Theorem 3.1 (the constant 6 derived) asks for \\gamma > 6", ["\\gamma > 6"]),
        ("T2, near W^*: one winner S a sample", ["W^*", "S"]),
        ("with probability at least 1 - \\delta; on a line", ["1 - \\delta"]),
        ("(a w + (1 - a) v)", ["(a w + (1 - a) v)"]),
        ("Lemma 8.2 (b): x \\le 1 \\Rightarrow y", ["x \\le 1", "\\Rightarrow y"]),
    ],
)
def test_words_and_formulas_are_told_apart(text, formulas):
    assert [part for math, part in theorem.pieces(text) if math] == formulas


# Pictures


def test_a_slim_picture_shows_the_same(figure):
    before, after = figure.read_text(), slim(figure.read_text())
    assert len(after) < 0.7 * len(before)
    old, new = ET.fromstring(before), ET.fromstring(after)
    names = {element.get("id") for element in new.iter()}
    used = set(re.findall(r'(?:href="|url\()#(\w+)', after))
    assert used and used <= names
    assert new.get("viewBox") == old.get("viewBox") and new.get("width") == old.get("width")
    svg = "{http://www.w3.org/2000/svg}"

    def drawn(root):
        """What is drawn, in its order and through all uses: first point and colours of paths."""
        known = {element.get("id"): element for element in root.iter() if element.get("id")}

        def walk(element, outer):
            own = [part.split(":") for part in element.get("style", "").split(";") if part]
            look = outer | {key.strip(): value.strip() for key, value in own}
            if element.tag == f"{svg}path":
                begin = re.findall(r"-?[\d.]+", element.get("d", ""))[:2]
                yield [round(float(x)) for x in begin], look.get("fill"), look.get("stroke")
            href = element.get("href") or element.get("{http://www.w3.org/1999/xlink}href", "")
            if element.tag == f"{svg}use":
                yield from walk(known[href[1:]], look)
            for child in element:
                if child.tag not in (f"{svg}defs", f"{svg}metadata"):
                    yield from walk(child, look)

        return list(walk(root, {}))

    assert drawn(new) == drawn(old) and len(drawn(new)) > 50


def test_a_slim_path_ends_where_it_ended():
    """Steps are rounded together with where they begin: no error adds up."""
    path = "M 0.004 1 " + " ".join(f"L {i / 3:.6f} {-i / 7:.6f}" for i in range(1, 1000)) + " z"
    made = slim(f'<svg xmlns="http://www.w3.org/2000/svg"><path d="{path}"/></svg>')
    steps = re.findall(r"([ml])(-?[\d.]+)[ ]?(-?[\d.]+)", re.search('d="(.+?)z"', made)[1])
    assert len(steps) == 1000
    ends = [sum(float(step[axis]) for step in steps) for axis in (1, 2)]
    assert ends == pytest.approx([333, -142.71], abs=0.006)


# The console


def write_claims(path, rows):
    pd.DataFrame(rows, columns=verdicts.COLUMNS).to_csv(path, index=False)
    return path


def test_the_end_of_a_run_says_what_came_out(tmp_path):
    rows = [row("1"), row("1x", "control", "fails")]
    said = console.came_out(
        write_claims(tmp_path / "a.csv", rows), "results/ledger/index.html", 2300
    )
    assert said == (
        "2 verdicts (1 hold, 1 fail, 0 inconclusive), all as expected.\n"
        "Look at results/ledger/index.html; this run took 38 min."
    )
    rows.append(row("2", verdict="inconclusive"))
    said = console.came_out(write_claims(tmp_path / "b.csv", rows), "page", 20)
    assert "1 not as expected: du2018 2 inconclusive (synthetic)." in said and "20 s" in said
    many = [row(str(i), verdict="fails") for i in range(13)]
    assert "and 3 more." in console.came_out(write_claims(tmp_path / "c.csv", many), "page", 4000)
    quick = [made | {"scale": "quick"} for made in rows]
    said = console.came_out(write_claims(tmp_path / "d.csv", quick), "page", 1)
    assert "1 not as expected, but scale quick decides no claim" in said


def test_the_start_of_a_run_says_how_long_it_will_take(tmp_path):
    folder = tmp_path / "benchmarks/du2018"
    folder.mkdir(parents=True)
    for name, seconds in {"a": 600, "b": 1200}.items():
        (folder / f"{name}.jsonl").write_text(json.dumps({"s": seconds}) + "\n")
    paths = [folder / f"{name}.jsonl" for name in "ab"]
    assert "about 30 min, by" in console.estimate(paths, 1)
    assert "about 20 min on 2 cores" in console.estimate(paths, 2)  # not below the longest job
    new = [folder / f"{name}.jsonl" for name in "cde"]
    assert console.estimate([*paths, *new], 1) is None
    committed = tmp_path / "durations.json"
    committed.write_text(json.dumps({"du2018/c": 1200, "du2018/d": 3600, "du2018/a": 9e9}))
    assert "about 2 h 18 min, by" in console.estimate([*paths, *new], 1, committed)
    assert console.estimate([], 1) is None
    (folder / "a.jsonl").write_text("broken")
    assert console.estimate([folder / "a.jsonl"], 1) is None


def test_jobs_have_one_name_wherever_results_lie():
    names = {
        "results/benchmarks/du2018/studies/rate.jsonl": "du2018/studies/rate",
        "results/quick/benchmarks/du2018/rate.jsonl": "du2018/rate",
        "results/fashion-mnist/benchmarks/du2018/rate.jsonl": "fashion-mnist/du2018/rate",
    }
    assert {path: console.job_name(path) for path in names} == names


# The documentation


def test_links_of_the_documentation_lead_somewhere():
    for path in [
        *ROOT.glob("*.md"),
        *ROOT.glob("docs/*.md"),
        ROOT / "figures/README.md",
        ROOT / "config/README.md",
    ]:
        text = path.read_text()
        links = re.findall(r"\]\(([^)#\s]+)", text) + re.findall(r'(?:src|href)="([^"#]+)"', text)
        for link in links:
            if not link.startswith(("http:", "https:")):
                assert (path.parent / link).exists(), (path.name, link)
    assert "docs/ledger/" in (ROOT / "README.md").read_text()


def test_the_committed_page_shows_the_committed_verdicts():
    claims = (ROOT / "docs/claims.csv").read_bytes()
    assert (ROOT / "docs/ledger/claims.csv").read_bytes() == claims
    page = Page(ROOT / "docs/ledger/index.html")
    shown = [attrs for attrs in page.all("tr") if "data-kind" in attrs]
    assert len(shown) == len(pd.read_csv(ROOT / "docs/claims.csv"))
    assert str(ROOT) not in page.text and "--force figures/du2018/closeness.svg" in page.text


def test_snakemakes_report_opens_on_what_came_out(quick, snakemake, known, tmp_path):
    page = tmp_path / "report.html"
    done = snakemake(quick.tree, "--report", page, **known)
    assert done.returncode == 0, done.stdout
    text = page.read_text()
    verdicts = write_ledger.read_claims(quick.results / "claims.csv")
    assert "What came out" in text and f"{len(verdicts)} verdicts" in text
    # A theorem in mathematics, and the claims that a figure answers to.
    assert "<math" in text and "9a, 9b, 9c" in text
