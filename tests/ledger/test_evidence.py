"""The evidence pack: whole or refused, and figures and verdicts made from it alone."""

import json
import os
import subprocess
import sys
import zipfile

import pytest

from workflow.scripts.ledger.archive import SUMS, pack, unpack


@pytest.fixture
def packed(tmp_path):
    """Two files and their archive."""
    folder = tmp_path / "results"
    files = [folder / "claims.csv", folder / "du2018/rate.parquet"]
    for number, path in enumerate(files):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(bytes([number]) * 1000)
    pack(files, folder, tmp_path / "evidence.zip")
    return tmp_path / "evidence.zip"


def with_member(archive, name, content):
    """The archive with one more member, or another content of one."""
    with zipfile.ZipFile(archive) as made:
        members = {member: made.read(member) for member in made.namelist()}
    with zipfile.ZipFile(archive, "w") as made:
        for member, text in (members | {name: content}).items():
            made.writestr(member, text)


def test_what_is_packed_is_unpacked_and_sha256sum_agrees(packed, tmp_path):
    files = unpack(packed, tmp_path / "there")
    found = {str(path.relative_to(tmp_path / "there")): path.read_bytes() for path in files}
    assert found.pop(SUMS).count(b"\n") == 2
    assert found == {"claims.csv": bytes([0]) * 1000, "du2018/rate.parquet": bytes([1]) * 1000}
    with zipfile.ZipFile(packed) as made:
        made.extractall(tmp_path)
    done = subprocess.run(
        ["sha256sum", "--check", SUMS], cwd=tmp_path / "evidence", capture_output=True, text=True
    )
    assert done.returncode == 0 and done.stdout.count("OK") == 2


def test_the_same_files_make_the_same_bytes(packed, tmp_path):
    before = packed.read_bytes()
    for path in (tmp_path / "results").rglob("*"):
        os.utime(path, (1, 1))
    folder = tmp_path / "results"
    pack([folder / "du2018/rate.parquet", folder / "claims.csv"], folder, packed)
    assert packed.read_bytes() == before


@pytest.mark.parametrize(
    ("name", "content"),
    [("evidence/claims.csv", b"better"), ("evidence/more.csv", b"")],
    ids=["changed", "added"],
)
def test_what_was_changed_is_refused_and_nothing_is_written(packed, tmp_path, name, content):
    with_member(packed, name, content)
    with pytest.raises(ValueError, match=rf"{name.partition('/')[2]} is not what {SUMS} says"):
        unpack(packed, tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_a_file_outside_of_the_folder_is_refused(packed, tmp_path):
    outside = tmp_path / "results/../../outside.csv"
    outside.parent.parent.mkdir(exist_ok=True)
    outside.write_text("x")
    # As nobody packs by accident: the path leads out, its checksum is right.
    pack([outside], tmp_path / "results", packed)
    with pytest.raises(ValueError, match="lies outside"):
        unpack(packed, tmp_path / "there")
    assert not (tmp_path / "there").exists()


def test_what_is_no_pack_is_refused(tmp_path):
    path = tmp_path / "evidence.zip"
    path.write_text("no archive")
    with pytest.raises(ValueError, match=r"evidence\.zip is no archive"):
        unpack(path, tmp_path / "there")
    with zipfile.ZipFile(path, "w") as made:
        made.writestr("evidence/claims.csv", "")
    with pytest.raises(ValueError, match=f"no archive with {SUMS}"):
        unpack(path, tmp_path / "there")


def test_figures_and_verdicts_come_from_the_pack_alone(quick, snakemake, known, copy, tmp_path):
    done = snakemake(quick.tree, "--cores", 2, "evidence", **known)
    assert done.returncode == 0, done.stdout
    assert " MB" in done.stdout
    # In a copy that has computed nothing.
    tree = copy("redraw")
    wanted = ["du2018/rate", "du2018/image_condition"]

    def redraw(folder, evidence=quick.results / "evidence.zip"):
        words = ["-m", "workflow.redraw", str(evidence), *wanted, "--into", folder, "--cores", "2"]
        env = os.environ | {"PYTHONPATH": "."}
        return subprocess.run(
            [sys.executable, *words], cwd=tree, env=env, capture_output=True, text=True
        )

    done = redraw("results/redrawn")
    assert done.returncode == 0, done.stdout + done.stderr
    assert " 0 changed" in done.stdout
    made = tree / "results/redrawn"
    for study in wanted:
        for suffix in (".svg", ".csv"):
            path = f"{study}{suffix}"
            assert (made / "figures" / path).read_bytes() == (quick.figures / path).read_bytes()
    assert not (tree / "results/data").exists() and not (made / "data/patches.npy").exists()

    # Never among other results.
    done = redraw("config")
    assert done.returncode == 2 and "--into config: holds something else" in done.stderr
    assert "Traceback" not in done.stderr

    # A pack whose verdicts are not those that its tables give: named, and the exit says so.
    with zipfile.ZipFile(quick.results / "evidence.zip") as packed:
        packed.extractall(tmp_path)
    claims = tmp_path / "evidence/claims.csv"
    before = json.loads((made / "du2018/verdicts/rate.json").read_text())[0]["verdict"]
    after = {"holds": "fails", "fails": "holds", "inconclusive": "holds"}[before]
    lines = claims.read_text().splitlines(keepends=True)
    line = next(line for line in lines if ",du2018,rate," in line)
    claims.write_text(
        claims.read_text().replace(line, line.replace(f",{before},", f",{after},", 1))
    )
    files = [path for path in (tmp_path / "evidence").rglob("*") if path.is_file()]
    pack([path for path in files if path.name != SUMS], tmp_path / "evidence", tmp_path / "e.zip")
    done = redraw("results/forged", tmp_path / "e.zip")
    assert done.returncode == 1 and " 1 changed" in done.stdout, done.stdout + done.stderr
