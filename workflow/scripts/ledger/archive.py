"""Folders as one file to send: the same bytes for the same content, checksums with them."""

import hashlib
import zipfile
from pathlib import Path

from workflow.scripts import step

SUMS = "SHA256SUMS"  # as sha256sum writes and checks it


def pack(files, folder, path):
    """Write files into an archive that unpacks into one folder.

    Parameters
    ----------
    files : iterable of Path
        Below `folder`.
    folder : Path
    path : Path
        The ZIP file. It unpacks into a folder of its own name, with the SHA-256 of all files in
        `SUMS`.
    """
    names = {file.relative_to(folder).as_posix(): file for file in files}
    sums = []
    with step.replacing(path) as part, zipfile.ZipFile(part, "w") as made:

        def add(name, content):
            about = zipfile.ZipInfo(f"{Path(path).stem}/{name}", (1980, 1, 1, 0, 0, 0))
            about.compress_type, about.external_attr = zipfile.ZIP_DEFLATED, 0o644 << 16
            made.writestr(about, content)

        for name in sorted(names):
            content = names[name].read_bytes()
            sums.append(f"{hashlib.sha256(content).hexdigest()}  {name}")
            add(name, content)
        add(SUMS, "\n".join(sums) + "\n")


def unpack(path, folder):
    """Put the files of an archive into a folder, each only if its checksum is right.

    Parameters
    ----------
    path : Path
        As `pack` writes it.
    folder : Path
        Where they go, `SUMS` too; it is made.

    Returns
    -------
    list of Path
        The files.

    Raises
    ------
    ValueError
        The file is no such archive, or what is in it is not what its checksums say; nothing is
        written then.
    """
    try:
        with zipfile.ZipFile(path) as made:
            contents = {name.partition("/")[2]: made.read(name) for name in made.namelist()}
        sums = contents[SUMS].decode().splitlines()
    except (zipfile.BadZipFile, KeyError) as error:
        raise ValueError(f"{path} is no archive with {SUMS} ({error}); fetch it again") from error
    wanted = {name: digest for digest, name in (line.split("  ", 1) for line in sums)}
    found = {
        name: hashlib.sha256(content).hexdigest()
        for name, content in contents.items()
        if name != SUMS
    }
    if wrong := sorted(name for name, _ in wanted.items() ^ found.items()):
        raise ValueError(f"{path}: {wrong[0]} is not what {SUMS} says; fetch the archive again")
    for name in contents:
        if not (folder / name).resolve().is_relative_to(folder.resolve()):
            raise ValueError(f"{path}: {name} lies outside of the archive's folder")
    for name in sorted(contents, key=lambda name: name != SUMS):  # first: it marks the folder
        with step.replacing(folder / name) as part:
            part.write_bytes(contents[name])
    return [folder / name for name in contents]
