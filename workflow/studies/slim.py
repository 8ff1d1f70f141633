"""SVG files of matplotlib without what nobody sees, at half their size.

Coordinates keep a hundredth of a point; a mark's look, a letter and a label that recur are written
once; what is not referred to has no name.
"""

import re
import xml.etree.ElementTree as ET
from collections import Counter, defaultdict

SVG, XLINK = "http://www.w3.org/2000/svg", "http://www.w3.org/1999/xlink"
USE, GROUP, DEFS = (f"{{{SVG}}}{name}" for name in ("use", "g", "defs"))
NUMBERS = ("d", "transform", "x", "y", "width", "height")
HREF = f"{{{XLINK}}}href"


def slim(text):
    """The same picture in fewer letters.

    Parameters
    ----------
    text : str
        An SVG file as matplotlib writes it.

    Returns
    -------
    str
        With its comments, which say what the texts are that it writes as outlines.
    """
    ET.register_namespace("", SVG)
    root = ET.fromstring(text, ET.XMLParser(target=ET.TreeBuilder(insert_comments=True)))
    size = {name: root.get(name) for name in ("width", "height")}
    for element in list(root.iter()):
        _tidy(element)
    root.attrib.update({name: value for name, value in size.items() if value})
    _style_marks_once(root)
    shared = ET.Element(DEFS)
    _gather(root, shared)
    root.insert(0, shared)
    _share_labels(root, shared)
    _rename(root)
    return ET.tostring(root, encoding="unicode") + "\n"


def _tidy(element):
    """Drop blanks between elements, metadata and needless digits."""
    for child in list(element):
        if child.tag == f"{{{SVG}}}metadata":
            element.remove(child)
    if element.text and not element.text.strip():
        element.text = None
    if element.tail and not element.tail.strip():
        element.tail = None
    if HREF in element.attrib:
        element.set("href", element.attrib.pop(HREF))
    for name in NUMBERS:
        if value := element.get(name):
            value = " ".join(re.sub(r"-?\d+\.\d+(?:e-?\d+)?", _shorter, value).split())
            element.set(name, _steps(value) if name == "d" else value)
    if look := element.get("style"):
        element.set("style", re.sub(r"([:;])\s+", r"\1", look))
    if place := re.fullmatch(r"translate\((\S+) (\S+)\)", element.get("transform", "")):
        if element.tag == USE and not {"x", "y"} & set(element.attrib):
            del element.attrib["transform"]
            where = {"x": place[1], "y": place[2]}
            element.attrib.update({axis: at for axis, at in where.items() if at != "0"})


def _shorter(number):
    value = float(number[0])
    text = f"{value:.2f}" if abs(value) >= 1 else f"{value:.3g}"
    text = text.rstrip("0").rstrip(".") if "." in text and "e" not in text else text
    return "0" if text == "-0" else text


def _steps(path):
    """A path without needless blanks; one of lines by their steps, exact to a hundredth."""
    parts = re.findall("([A-Za-z])([^A-Za-z]*)", path)
    if not {letter for letter, _ in parts} <= set("MLz"):
        return re.sub(" ?([A-Za-z]) ?", r"\1", path)
    made, here, begin = "", (0, 0), (0, 0)
    for letter, numbers in parts:
        if letter == "z":
            made, here = made + "z", begin
            continue
        there = tuple(round(100 * float(number)) for number in numbers.split())
        x, y = (_digits(new - old) for new, old in zip(there, here, strict=True))
        made, here = made + letter.lower() + x + ("" if y[0] == "-" else " ") + y, there
        begin = there if letter == "M" else begin
    return made


def _digits(hundredths):
    text = f"{hundredths / 100:.2f}".rstrip("0").rstrip(".")
    return re.sub(r"\b0\.", ".", text)


def _style_marks_once(root):
    """Where all uses of a mark look alike, its definition says so and they need not."""
    uses = defaultdict(list)
    for use in root.iter(USE):
        uses[use.get("href")].append(use)
    for element in root.iter():
        alike = uses.get(f"#{element.get('id')}", [])
        looks = {use.get("style") for use in alike}
        if len(looks) == 1 and (look := looks.pop()):
            # What the definition says itself counts for more.
            parts = [*look.split(";"), *element.get("style", "").split(";")]
            merged = dict(part.split(":", 1) for part in parts if part)
            element.set("style", ";".join(f"{key}:{value}" for key, value in merged.items()))
            for use in alike:
                del use.attrib["style"]


def _gather(element, shared):
    """Bring all definitions together, and do without groups that say nothing."""
    kept = []
    for child in list(element):
        _gather(child, shared)
        if child.tag == DEFS:
            shared.extend(child)
        elif child.tag == GROUP and not set(child.attrib) - {"id"}:
            kept.extend(child)
        else:
            kept.append(child)
    element[:] = kept


def _share_labels(root, shared):
    """Write the letters of a label that recurs once."""
    labels = defaultdict(list)
    for group in root.iter(GROUP):
        if len(group) > 1 and all(child.tag == USE for child in group):
            labels[tuple(tuple(sorted(child.attrib.items())) for child in group)].append(group)
    for i, groups in enumerate(list(labels.values())):
        if len(groups) > 1:
            label = ET.SubElement(shared, GROUP, id=f"label{i}")
            label.extend(list(groups[0]))
            for group in groups:
                group[:] = [ET.Element(USE, href=f"#label{i}")]


def _rename(root):
    """Short names for what is referred to, none for the rest."""
    pattern = r"url\(#([^)]+)\)"
    used = Counter()
    for element in root.iter():
        for name, value in element.attrib.items():
            used.update([value[1:]] if name == "href" and value[0] == "#" else [])
            used.update(re.findall(pattern, value))
    short = {name: f"i{i:x}" for i, (name, _) in enumerate(used.most_common())}
    for element in root.iter():
        if name := element.attrib.pop("id", None):
            if name in short:
                element.set("id", short[name])
        for key, value in element.attrib.items():
            if key == "href" and value[0] == "#":
                element.set(key, f"#{short[value[1:]]}")
            elif "url(#" in value:
                element.set(key, re.sub(pattern, lambda m: f"url(#{short[m[1]]})", value))
