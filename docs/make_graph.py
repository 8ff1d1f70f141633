"""Draw docs/graph/<paper>.svg: the method of a paper, from images to studies, step by step.

Steps come from the rule files, studies from their room signs. What stands in a column needs
nothing of the same column or further to the right.
"""

import re
from pathlib import Path

import matplotlib as mpl
import yaml

from workflow.configuration import declared, studies, tables_of
from workflow.studies import style
from workflow.studies.slim import slim

ROOT = Path(__file__).resolve().parents[1]
IMAGES = "images"
ROW, COLUMN = 0.2, 2.3  # inches
LOOKS = {"data": style.QUIET, "step": style.MEASURED[0], "study": style.VERMILLION}


def steps_of(paper, config):
    """Name of every step of a paper, to its inputs and to patterns of its outputs."""
    found = {}
    for step in declared(config, paper):
        name = step["name"]
        cases = [case for case in config[paper].get(name, {}) if case != "common"]
        made = [
            re.escape(path).replace(r"\{case\}", f"({'|'.join(cases)})")
            for path in step["output"].values()
        ]
        patterns = [re.compile(re.sub(r"\\{\w+\\}", ".+", path)) for path in made]
        read = [
            path.replace("{case}", case)
            for path in flat(dict(step.get("input", {})).values())
            for case in cases or [""]
        ]
        found[step.get("as_rule", name)] = (read, patterns)
    return found


def flat(parts):
    for part in parts:
        yield from flat(part) if isinstance(part, list | tuple) else [part]


def graph(paper, config):
    """Nodes, name to kind and to the names of what they need."""
    steps = steps_of(paper, config)

    def needed(paths):
        for path in paths:
            for name, (_, patterns) in steps.items():
                if any(pattern.fullmatch(path) for pattern in patterns):
                    yield name
            if "/data/" in path and not path.endswith("source.json"):
                yield IMAGES

    nodes = {name: ("step", set(needed(inputs)) - {name}) for name, (inputs, _) in steps.items()}
    if any(IMAGES in needs for _, needs in nodes.values()):
        nodes = {IMAGES: ("data", set())} | nodes
    for name, sign in studies()[paper].items():
        tables = [f"<results>/{paper}/{table}.parquet" for table in tables_of(sign)]
        # A study may bear the name of the step that it reads.
        nodes[f"study {name}"] = ("study", set(needed(tables)))
    return nodes


def columns(nodes):
    """Names of the nodes by column: images first, studies last, steps next to what reads them."""
    readers = {name: [other for other in nodes if name in nodes[other][1]] for name in nodes}

    def behind(name):
        """How many columns a node needs to its right."""
        return max((behind(other) + 1 for other in readers[name]), default=0)

    depth = {name: behind(name) for name in nodes}
    first = max(depth.values())
    depth |= {IMAGES: first} if IMAGES in nodes else {}
    return [[name for name in nodes if depth[name] == column] for column in range(first, -1, -1)]


def order(layers, nodes, sweeps=8):
    """Each column sorted by the mean height of its neighbours, over and over: fewer crossings."""
    # In the order of the nodes: a sum in another order rounds to another picture.
    near = {
        name: [other for other in nodes if other in needs or name in nodes[other][1]]
        for name, (_, needs) in nodes.items()
    }
    height = {name: i / len(layer) for layer in layers for i, name in enumerate(layer)}
    for sweep in range(sweeps):
        for layer in layers if sweep % 2 else reversed(layers):
            mean = {
                name: sum(height[other] for other in near[name]) / max(1, len(near[name]))
                for name in layer
            }
            layer.sort(key=lambda name, mean=mean: mean[name])
            height |= {name: (i + 0.5) / len(layer) for i, name in enumerate(layer)}
    return layers


def label(name):
    return name.removeprefix("study ").replace("_", " ")


def draw(paper, nodes, path):
    """One picture: a column a depth, a line for what is needed."""
    layers = order(columns(nodes), nodes)
    rows = max(map(len, layers))
    fig = style.plt.figure(figsize=(COLUMN * len(layers), ROW * rows + 0.5))
    axis = fig.add_axes((0, 0, 1, 1), xlim=(0, COLUMN * len(layers)), ylim=(0, ROW * rows + 0.5))
    axis.set_axis_off()
    place = {}
    for column, layer in enumerate(layers):
        for i, name in enumerate(layer):
            place[name] = COLUMN * column + 0.1, ROW * rows * (1 - (i + 0.5) / len(layer)) + 0.05
    ends = {}
    for name, (kind, _) in nodes.items():
        text = axis.text(*place[name], label(name), va="center", fontsize=7.5)
        text.set_bbox({"boxstyle": "round,pad=0.2", "edgecolor": LOOKS[kind], "facecolor": "white"})
        box = text.get_window_extent().transformed(axis.transData.inverted())
        ends[name] = box.x1 + 0.04
    for name, (_, needs) in nodes.items():
        for other in sorted(needs):
            begin, end = (ends[other], place[other][1]), (place[name][0] - 0.04, place[name][1])
            bend = (end[0] - begin[0]) / 2
            curve = mpl.path.Path(
                [begin, (begin[0] + bend, begin[1]), (end[0] - bend, end[1]), end],
                [mpl.path.Path.MOVETO, *3 * [mpl.path.Path.CURVE4]],
            )
            look = {"facecolor": "none", "edgecolor": "0.6", "linewidth": 0.7, "zorder": 0}
            axis.add_patch(mpl.patches.PathPatch(curve, **look))
    heads = {"data": "images", "step": "steps: what is computed", "study": "studies: a figure each"}
    x = 0.1
    for kind, text in heads.items():
        if any(kind == found for found, _ in nodes.values()):
            at = (x, ROW * rows + 0.3)
            axis.text(*at, text, color=LOOKS[kind], fontsize=8, fontweight="bold")
            x += 0.1 * len(text)
    path.parent.mkdir(exist_ok=True)
    fig.savefig(path, format="svg", metadata={"Date": None, "Creator": "cnntheory"})
    path.write_text(slim(path.read_text()))
    style.plt.close(fig)


def main():
    config = yaml.safe_load((ROOT / "config/config.yaml").read_text())
    for paper in config["papers"]:
        draw(paper, graph(paper, config), ROOT / f"docs/graph/{paper}.svg")


if __name__ == "__main__":
    main()
