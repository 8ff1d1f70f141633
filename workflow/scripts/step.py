"""What all steps share: one thread, arguments, seeds, tables, progress, clear errors."""

import argparse
import contextlib
import hashlib
import json
import os
import sys
import zlib
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import yaml
from threadpoolctl import threadpool_limits
from tqdm import tqdm

from workflow.closure import imports

COLUMNS = Path(__file__).parents[1] / "columns.yaml"


def arguments(description, outputs, **options):
    """Parse a step's command line.

    Parameters
    ----------
    description : str
        The step's docstring, which ``--help`` shows.
    outputs : sequence of str
        Names of the positional arguments that are files to write.
    **options : type, (type, default) or [type]
        Every other value, given as ``--name value``; without a default it is required. The type
        ``json.loads`` takes lists and mappings; ``Path`` a file to read. ``[type]`` takes several
        words.
    """
    parser = argparse.ArgumentParser(
        description=description.strip(), formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name in outputs:
        parser.add_argument(name, type=Path)
    for name, kind in options.items():
        kind, default = kind if isinstance(kind, tuple) else (kind, ...)
        several = isinstance(kind, list)
        parser.add_argument(
            f"--{name.replace('_', '-')}",
            type=kind[0] if several else kind,
            nargs="+" if several else None,
            required=default is ...,
            default=None if default is ... else default,
        )
    return parser.parse_args()


def main(run):
    """Run a step on one thread; report what a user can mend as one sentence, not a traceback.

    One thread, because the order of a sum, and with it the last bits of a table, depends on their
    number. Set ``CNNTHEORY_TRACEBACK=1`` to see the traceback.
    """
    try:
        with threadpool_limits(1):
            if torch := sys.modules.get("torch"):
                torch.set_num_threads(1)  # it keeps a count of its own
            run()
    except (OSError, ValueError) as error:
        if os.environ.get("CNNTHEORY_TRACEBACK"):
            raise
        sys.exit(f"error: {error}")


def generator(seed, step, group, trial):
    """Generator of one trial's draws.

    Methods that are compared share `group` and so their draws; a further trial or method changes
    no other draw.

    Parameters
    ----------
    seed : int
        Base seed of the configuration.
    step, group : str
        Name of the step and of the pairing group.
    trial : int
        Number of the trial.
    """
    words = [seed, zlib.crc32(step.encode()), zlib.crc32(group.encode()), trial]
    return np.random.default_rng(np.random.SeedSequence(words))


@contextlib.contextmanager
def replacing(path):
    """Yield a temporary path beside `path`, moved onto it only when the block succeeds."""
    path = Path(path)
    part = path.with_name(f".{path.name}.part")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield part
        os.replace(part, path)
    except OSError as error:
        raise OSError(
            f"cannot write {path}: {error.strerror or error}; free some space or "
            "make the folder writable"
        ) from error
    finally:
        with contextlib.suppress(OSError):  # nothing there, or no folder to hold it
            part.unlink()


def code_hash(script):
    """SHA-256 of a step's file and of every project module it imports."""
    digest = hashlib.sha256()
    for path in sorted({str(script), *imports(script)}):
        digest.update(path.encode() + b"\0" + Path(path).read_bytes() + b"\0")
    return digest.hexdigest()


def write_table(frame, path, args, data="synthetic"):
    """Write a tidy table as Parquet, with what determines it in the file's metadata.

    Parameters
    ----------
    frame : pandas.DataFrame
        One row a measurement; every column must be described in ``workflow/columns.yaml``.
    path : path
        The Parquet file.
    args : argparse.Namespace
        The step's arguments; those that are no files are stored with the table.
    data : str
        Label of the data measured, stored in the column `data`.
    """
    frame = frame.assign(data=data)
    unknown = sorted(set(frame.columns) - set(yaml.safe_load(COLUMNS.read_text())))
    if unknown:
        raise ValueError(f"{path}: {COLUMNS} does not describe the column {', '.join(unknown)}")
    script = os.path.relpath(sys.argv[0])
    made = {
        "step": script,
        "code": code_hash(script),
        "parameters": {k: v for k, v in vars(args).items() if not _names_files(v)},
    }
    table = pa.Table.from_pandas(frame, preserve_index=False)
    table = table.replace_schema_metadata({"cnntheory": json.dumps(made, sort_keys=True)})
    with replacing(path) as part:
        pq.write_table(table, part, compression="zstd")


def _names_files(value):
    """Whether an argument is a path or a list of paths."""
    return isinstance(value[0] if isinstance(value, list) and value else value, Path)


def read_table(path):
    """Read a table that `write_table` wrote."""
    return pq.read_table(path).to_pandas()


def source(path):
    """What `fetch_mnist` found: a dict with the label ``data``, the hash and the counts."""
    return json.loads(Path(path).read_text())


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
