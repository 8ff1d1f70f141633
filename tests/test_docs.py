"""The documentation: every link leads somewhere, and the reference is that of the library."""

import importlib.util
import inspect
import re
from pathlib import Path

import pandas as pd
import pytest

import cnntheory
from cnntheory import images
from workflow.configuration import studies

ROOT = Path(__file__).resolve().parents[1]
PAGES = sorted(
    path.relative_to(ROOT).as_posix() for path in [*ROOT.glob("*.md"), *ROOT.glob("*/*.md")]
)
LINK = re.compile(r"!?\[(?:[^\[\]]|\[[^\[\]]*\])*\]\(([^()\s]+)\)")
REFERENCE = (ROOT / "docs/library.md").read_text()
PARTS = re.findall(r"^- \[`(cnntheory[\w.]*)`\]", REFERENCE, re.M)


def without_code(text):
    """Markdown without its blocks of code: what looks like a link there is none."""
    return re.sub(r"^```.*?^```", "", text, flags=re.M | re.S)


def anchors(path):
    """What GitHub calls the headings of a page."""
    headings = re.findall(r"^#+ (.*)$", without_code(path.read_text()), re.M)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in headings}


@pytest.mark.parametrize("page", PAGES)
def test_every_link_leads_somewhere(page):
    for target in LINK.findall(without_code((ROOT / page).read_text())):
        if re.match("https?://", target):
            continue
        name, _, place = target.partition("#")
        path = (ROOT / page).parent / name if name else ROOT / page
        assert path.exists(), f"{page}: {target}"
        if place and path.suffix == ".md":
            assert place in anchors(path), f"{page}: {target}"


def public(module):
    """Names and objects of a module that its users see."""
    names = getattr(module, "__all__", None) or [
        name
        for name, found in vars(module).items()
        if name[0] != "_" and getattr(found, "__module__", None) == module.__name__
    ]
    return {name: getattr(module, name) for name in names}


@pytest.mark.parametrize("part", PARTS)
def test_the_reference_has_every_public_name_with_its_arguments(part):
    for name, found in public(importlib.import_module(part)).items():
        if not callable(found):
            continue
        # What is loaded when asked for stands under its own module.
        places = [f"### `{place}.{name}`" for place in (part, found.__module__)]
        heading = next((place for place in places if place in REFERENCE), None)
        assert heading, f"{part}.{name} is not in docs/library.md; run make docs"
        if inspect.isfunction(found):
            block = REFERENCE.partition(f"{heading}\n\n```python\n")[2].partition("```")[0]
            asked = re.findall(r"[(,]\s*\*{0,2}(\w+)", re.sub(r"=(\([^()]*\)|[^,)]*)", "", block))
            assert asked == list(inspect.signature(found).parameters), f"{part}.{name}"


def test_every_part_of_the_library_is_in_the_reference():
    parts = {f"cnntheory.{name}" for name in cnntheory.__all__}
    assert {".".join(part.split(".")[:2]) for part in PARTS} | {"cnntheory.files"} == parts


def program(name):
    """One of the programs in docs, as a module."""
    spec = importlib.util.spec_from_file_location(name, ROOT / f"docs/{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("paper", studies())
def test_a_page_asks_only_for_claims_and_figures_that_there_are(paper):
    made = program("make_docs")
    claims = [
        {"paper": paper, "study": name, "id": claim["id"], "data": data, "bound": "<= 1"}
        | {"measured": 0.5, "ci_low": 0.25, "ci_high": 0.75, "verdict": "holds"}
        for name, sign in studies()[paper].items()
        for claim in sign.get("claims", [])
        for data in ("synthetic", images.FASHION)
    ]
    words = made.words(pd.DataFrame(claims), paper)
    # Where the template is not filled in, the undefined name says so.
    text = made.templates().get_template(f"{paper}.md.j2").render(words)
    assert "0.5 [0.25, 0.75]" in text and text.count("](ledger/") > 3
    with pytest.raises(KeyError, match=r"asks for claim 99z, of which there are 0"):
        words["claim"]("99z")
    with pytest.raises(KeyError):
        words["figure"]("no_study")


@pytest.mark.parametrize("paper", studies())
def test_the_graph_of_a_paper_leads_from_every_step_to_a_study(config, paper):
    module = program("make_graph")
    nodes = module.graph(paper, config)
    read = {name for _, needs in nodes.values() for name in needs}
    for name, (kind, needs) in nodes.items():
        assert kind != "study" or needs, name
        assert kind == "study" or name in read, name
    columns = module.columns(nodes)
    place = {name: i for i, column in enumerate(columns) for name in column}
    assert all(place[other] < place[name] for name in nodes for other in nodes[name][1])
