"""What all steps share: typed options, streams of draws, tables, progress, clear errors.

A step is a file with two names: ``Options``, what it can be asked (the command line, the schema of
the configuration and its documentation come from there), and ``measure``, which computes and knows
no file::

    class Options(step.Options):
        trials: Count = Field(description="samples drawn per cell")

    def measure(options, rng, condition):
        ...
        return table

    if __name__ == "__main__":
        step.main(Options, measure)

`measure` is given the options; `rng`, where it asks for it, with the base seed and the stream of
the step already bound; and one argument for every file that the step reads.
"""

import argparse
import contextlib
import hashlib
import inspect
import json
import math
import os
import reprlib
import sys
import types
import typing
import zlib
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pydantic
import yaml
from pydantic import Field
from pydantic_core import PydanticCustomError
from threadpoolctl import threadpool_limits
from tqdm import tqdm

import cnntheory.files
from workflow.closure import ROOT, imports, versions

COLUMNS = ROOT / "workflow/columns.yaml"

# Types of options, in the words of their errors and of the schema.
Count = Annotated[int, Field(ge=1)]
Positive = Annotated[float, Field(gt=0)]
NonNegative = Annotated[float, Field(ge=0)]
Share = Annotated[float, Field(gt=0, lt=1)]
# `.inf` has a meaning for the spread of an input law: uniform. Its schema says so as the maximum.
_INFINITE = {"allow_inf_nan": True, "json_schema_extra": {"maximum": math.inf}}
Spread = Annotated[float, Field(gt=0, **_INFINITE)]
SpreadOrNone = Annotated[float, Field(ge=0, **_INFINITE)]
LARGEST = 10**9  # size of any other number, unless an option says less


class Options(pydantic.BaseModel):
    """Base of a step's options; its docstring is the step's section in config/README.md.

    A field named `case`, a ``Literal``, says that the section of the configuration holds a mapping
    for every case, and may hold one named `common` that all cases start from.
    """

    model_config = pydantic.ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False
    )

    @pydantic.field_validator("*")
    @classmethod
    def _no_larger(cls, value):
        if isinstance(value, int | float) and LARGEST < abs(value) < math.inf:
            raise PydanticCustomError("size", f"Numbers should be of size {LARGEST} at most")
        for part in value if isinstance(value, list | tuple) else ():
            cls._no_larger(part)
        return value


def from_rule(default=..., **more):
    """Field of an option that the rule gives: it is no key of the step's section."""
    return Field(default, json_schema_extra={"from_rule": True}, **more)


def cases(options):
    """Names of the cases of a step, none where its options have no field `case`."""
    field = options.model_fields.get("case")
    return typing.get_args(field.annotation) if field else ()


# The command line


def parser(description, options, files=(), tables=("table",), seeded=True):
    """Command line of a step: where the tables go, the files it reads, its options."""
    made = argparse.ArgumentParser(
        description=(description or "").strip(),
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    for name in tables:
        made.add_argument(name, type=Path)
    for name in files:
        made.add_argument(flag(name), type=Path, nargs="+", required=True, dest=name)
    if files:
        made.add_argument("--source", type=Path, help="what the images are: source.json")
    if seeded:
        made.add_argument("--seed", type=int, required=True, help="base seed")
    for name, field in options.model_fields.items():
        made.add_argument(
            flag(name),
            dest=f"option {name}",
            metavar=name.upper(),
            help=_help(field),
            # Missing values are named by their types' errors, all at once.
            default=argparse.SUPPRESS,
        )
    return made


def flag(name):
    """``--patch-sigmas`` for ``patch_sigmas``."""
    return f"--{name.replace('_', '-')}"


def _help(field):
    default = "" if field.is_required() else f" (default: {field.default})"
    return f"{field.description or ''}{default}".replace("%", "%%")


def parse(description, options, files=(), tables=("table",), seeded=True):
    """Files and options of the command line: ``(namespace, options)``."""
    made = parser(description, options, files, tables, seeded)
    args = vars(made.parse_args())
    given = {
        name: args.pop(f"option {name}")
        for name in options.model_fields
        if f"option {name}" in args
    }
    try:
        return argparse.Namespace(**args), read_options(options, given)
    except ValueError as error:
        made.error(str(error))


def read_options(options, texts):
    """Options from their texts: JSON, except where an option is text itself.

    Raises
    ------
    ValueError
        One line for every option that is missing, unknown or out of its range.
    """
    values = {}
    for name, text in texts.items():
        values[name] = text if _is_text(options.model_fields[name].annotation) else _json(text)
    try:
        return options.model_validate_json(json.dumps(values))
    except pydantic.ValidationError as error:
        raise ValueError("\n".join(map(_said, error.errors()))) from None


def _is_text(kind):
    """Whether values of a type are strings."""
    if typing.get_origin(kind) is Literal:
        return all(isinstance(word, str) for word in typing.get_args(kind))
    if typing.get_origin(kind) in (typing.Union, types.UnionType):
        return any(map(_is_text, typing.get_args(kind)))
    return kind is str


def _json(text):
    try:
        return json.loads(text)
    except (ValueError, RecursionError):  # pydantic says what is expected instead
        return text


def _said(error):
    """One pydantic error as ``--sigmas 1: Input should be greater than 0, found -1``."""
    name, *inside = error["loc"]
    found = "" if error["type"] == "missing" else f", found {reprlib.repr(error['input'])}"
    where = "".join(f" {part}" for part in inside)
    return f"{flag(str(name))}{where}: {error['msg']}{found}"


# Running


def main(options, measure, tables=("table",), stream=None):
    """Run a step from its command line.

    Parameters
    ----------
    options : type of Options
    measure : callable
        ``measure(options, rng, file, ...)``, see above. It returns a DataFrame, or one for every
        name in `tables` in a dict; a NumPy array is stored as ``.npy``.
    tables : sequence of str
        What is written, in the order of the command line.
    stream : str, optional
        Stream of the step's draws; its name unless given.
    """
    name = Path(sys.argv[0]).stem

    def run():
        asked = inspect.signature(measure).parameters
        seeded = "rng" in asked
        files = [word for word in asked if word not in ("options", "rng", "source")]
        description = sys.modules["__main__"].__doc__
        args, given = parse(description, options, files, tables, seeded)
        path = getattr(args, "source", None)
        about = source(path) if path else {"data": "synthetic"}
        inputs = {word: load(getattr(args, word)) for word in files}
        if seeded:
            inputs["rng"] = streams(args.seed, stream or name)
        if "source" in asked:
            inputs["source"] = about
        found = measure(given, **inputs)
        found = found if isinstance(found, dict) else {tables[0]: found}
        if set(found) != set(tables):
            raise RuntimeError(f"{name}: measured {sorted(found)}, to be written: {sorted(tables)}")
        parameters = given.model_dump(mode="json") | ({"seed": args.seed} if seeded else {})
        for word in tables:
            write(found[word], getattr(args, word), parameters, about["data"])

    guarded(run)


def guarded(run):
    """Run on one thread; report what a user can mend as one sentence, not a traceback.

    One thread, because the order of a sum, and with it the last bits of a table, depends on their
    number. Set ``CNNTHEORY_TRACEBACK=1`` to see the traceback.
    """
    try:
        with threadpool_limits(1):
            if torch := sys.modules.get("torch"):
                torch.set_num_threads(1)  # it keeps a count of its own
            run()
    except (OSError, ValueError, MemoryError) as error:
        if os.environ.get("CNNTHEORY_TRACEBACK"):
            raise
        if isinstance(error, MemoryError):
            error = f"not enough memory ({error or 'no more is known'}); ask for less at a time"
        sys.exit(f"error: {error}")


# Draws


def generator(seed, stream, group, trial):
    """Generator of one trial's draws.

    Methods that are compared share `group` and so their draws; a further trial or method changes
    no other draw.

    Parameters
    ----------
    seed : int
        Base seed of the configuration.
    stream, group : str
        Name of the step, or of what several steps share, and of the pairing group.
    trial : int
        Number of the trial.
    """
    words = [seed, zlib.crc32(stream.encode()), zlib.crc32(group.encode()), trial]
    return np.random.default_rng(np.random.SeedSequence(words))


def streams(seed, stream):
    """``rng(group, trial)``, a generator of the step's own stream, or of one that is named.

    ``rng(group, trial, stream="ergen2021")`` draws what other steps with this stream draw too.
    """

    def rng(group, trial, stream=stream):
        return generator(seed, stream, group, trial)

    return rng


# Files


@contextlib.contextmanager
def reading(path):
    """Say of a file of ours that it is unreadable, whatever its reader stumbles over.

    Only here errors of every kind are the file's: what else raises them is a mistake of ours.
    """
    try:
        yield
    except (FileNotFoundError, PermissionError, MemoryError):
        raise
    except Exception as error:
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise ValueError(f"{path} is unreadable ({reason}); delete it and run again") from error


@contextlib.contextmanager
def replacing(path):
    """Yield a temporary path beside `path`, moved onto it only when the block succeeds."""
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with cnntheory.files.replacing(path) as part:
            yield part
    except OSError as error:
        raise OSError(
            f"cannot write {path}: {error.strerror or error}; free some space or "
            "make the folder writable"
        ) from error


def load(paths):
    """What lies in a file: a table, an array (memory-mapped) or what JSON says.

    Several tables are put together, in their order; other files make a list.
    """
    readers = {".parquet": read_table, ".npy": read_array}
    found = [readers.get(path.suffix, source)(path) for path in paths]
    if len(found) == 1:
        return found[0]
    tables = all(isinstance(part, pd.DataFrame) for part in found)
    return pd.concat(found, ignore_index=True) if tables else found


def write(found, path, parameters, data="synthetic"):
    """Write what a step measured: a DataFrame as a table, an array as ``.npy``."""
    if isinstance(found, pd.DataFrame):
        return write_table(found, path, parameters, data)
    with replacing(path) as part, open(part, "wb") as file:
        np.save(file, found)


def code_hash(script):
    """SHA-256 of a step's file, the project modules it imports and the packages that compute."""
    digest = hashlib.sha256(versions(script).encode() + b"\0")
    for path in sorted({str(script), *imports(script)}):
        digest.update(path.encode() + b"\0" + (ROOT / path).read_bytes() + b"\0")
    return digest.hexdigest()


def write_table(frame, path, parameters, data="synthetic"):
    """Write a tidy table as Parquet, with what determines it in the file's metadata.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a measurement; every column must be described in ``workflow/columns.yaml``.
    path : path
        The Parquet file.
    parameters : dict
        The step's options and base seed, stored with the table.
    data : str
        Label of the data measured, stored in the column `data` unless the frame has one.
    """
    if "data" not in frame:
        frame = frame.assign(data=data)
    unknown = sorted(set(frame.columns) - set(yaml.safe_load(COLUMNS.read_text())))
    if unknown:
        raise ValueError(f"{path}: {COLUMNS} does not describe the column {', '.join(unknown)}")
    script = Path(sys.argv[0]).resolve().relative_to(ROOT).as_posix()
    made = {"step": script, "code": code_hash(script), "parameters": parameters}
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.replace_schema_metadata({"cnntheory": json.dumps(made, sort_keys=True)})
    with replacing(path) as part:
        pq.write_table(table, part, compression="zstd")


def read_table(path):
    """Read a table that `write_table` wrote."""
    with reading(path):
        return pq.read_table(path).to_pandas()


def read_array(path):
    """Map an array that `write` wrote into memory."""
    with reading(path):
        return np.load(path, mmap_mode="r")


def read_json(path):
    """What a JSON file of ours says."""
    with reading(path):
        return json.loads(Path(path).read_text())


def source(path):
    """What `fetch_mnist` found: a dict with the label ``data``, the hash and the counts."""
    return read_json(path)


# Progress


class _Lines:
    """A stream that ends each progress line instead of returning to its start (for log files)."""

    def __init__(self, stream):
        self.write = lambda text: stream.write(text.replace("\r", "\n"))
        self.flush = stream.flush


def progress(iterable=None, total=None, label="", unit="it"):
    """Progress with rate and remaining time: live in a terminal, in a log every ten seconds."""
    live = sys.stderr.isatty()
    return tqdm(
        iterable,
        total=total,
        desc=label,
        unit=f" {unit}",
        unit_scale=total is not None and total > 100_000,
        mininterval=0.2 if live else 10,
        maxinterval=10,
        ascii=not live,
        ncols=None if live else 100,
        file=sys.stderr if live else _Lines(sys.stderr),
    )
