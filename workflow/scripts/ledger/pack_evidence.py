"""Pack all that a run's figures and verdicts are made from into one file, with checksums.

``make redraw`` judges and draws from it without computing; ``sha256sum --check SHA256SUMS`` in the
unpacked folder tells whether a table is the one that was judged.
"""

import argparse
from pathlib import Path

from workflow.scripts import step
from workflow.scripts.ledger.archive import pack


def run():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("archive", type=Path, help="ZIP file to write")
    parser.add_argument("files", type=Path, nargs="+", help="tables, verdicts, provenance")
    parser.add_argument("--results", type=Path, required=True, help="the folder they lie in")
    args = parser.parse_args()
    pack(args.files, args.results, args.archive)
    print(f"{args.archive}: {len(args.files)} files, {args.archive.stat().st_size / 1e6:.1f} MB")


if __name__ == "__main__":
    step.guarded(run)
