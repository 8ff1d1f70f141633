"""A real Slurm of one node on loopback: `pytest -m slurm`.

It needs slurmctld, slurmd, the client's commands and munge (Debian's packages of these names,
slurm-client among them), and requirements-slurm.txt.
"""

import getpass
import importlib.util
import os
import shutil
import socket
import subprocess
import time

import pytest

from tests.conftest import BIN, TARGETS, contents

NEEDED = ("munged", "slurmctld", "slurmd", "sbatch", "srun", "squeue", "sinfo")
CONFIGURATION = """ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmdPort={ports[1]}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
SlurmUser={user}
SlurmdUser={user}
StateSaveLocation={folder}
SlurmdSpoolDir={folder}
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
JobAcctGatherType=jobacct_gather/none
MpiDefault=none
MinJobAge=3600
NodeName={host} NodeAddr=127.0.0.1 CPUs=2 RealMemory=8000
PartitionName=all Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""

pytestmark = [
    pytest.mark.slurm,
    pytest.mark.skipif(
        not all(map(shutil.which, NEEDED)), reason=f"needs {', '.join(NEEDED)} on the path"
    ),
    pytest.mark.skipif(
        not importlib.util.find_spec("snakemake_executor_plugin_slurm"),
        reason="needs requirements-slurm.txt",
    ),
]


def free_ports(count):
    sockets = [socket.socket() for _ in range(count)]
    for each in sockets:
        each.bind(("127.0.0.1", 0))
    ports = [each.getsockname()[1] for each in sockets]
    for each in sockets:
        each.close()
    return ports


@pytest.fixture(scope="module")
def cluster(tmp_path_factory):
    """Environment of a cluster that is up; taken down afterwards."""
    folder = tmp_path_factory.mktemp("slurm")
    folder.chmod(0o755)
    key = folder / "munge.key"
    key.write_bytes(os.urandom(128))
    key.chmod(0o400)
    words = {"host": socket.gethostname(), "user": getpass.getuser(), "ports": free_ports(2)}
    configuration = folder / "slurm.conf"
    configuration.write_text(CONFIGURATION.format(folder=folder, **words))
    # The plug-in takes the variables of Slurm out of a job's environment, this one included.
    srun = folder / "bin/srun"
    srun.parent.mkdir()
    srun.write_text(f'#!/bin/sh\nSLURM_CONF={configuration} exec {shutil.which("srun")} "$@"\n')
    srun.chmod(0o755)
    path = os.pathsep.join([str(srun.parent), str(BIN), *os.get_exec_path()])
    env = {"SLURM_CONF": str(configuration), "PATH": path}
    files = {name: f"--{name}-file={folder}/munge.{name}" for name in ("key", "pid", "log", "seed")}
    munge = ["munged", "--foreground", "--force", *files.values()]
    started = []

    def start(*command):
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        started.append(subprocess.Popen(command, env=os.environ | env, **quiet))

    try:
        start(*munge, f"--socket={folder}/munge.socket")
        while not (folder / "munge.socket").exists():
            assert started[0].poll() is None, "munged ended"
            time.sleep(0.1)
        for daemon in ("slurmctld", "slurmd"):
            start(daemon, "-D", "-f", str(configuration))
        for _ in range(60):
            asked = ["sinfo", "--noheader", "--format", "%T"]
            said = subprocess.run(asked, env=os.environ | env, capture_output=True, text=True)
            if said.stdout.strip() == "idle":
                break
            time.sleep(1)
        else:
            pytest.fail(f"no idle node: {(folder / 'slurmctld.log').read_text()[-2000:]}")
        yield env
    finally:
        for process in reversed(started):
            process.terminate()
            process.wait(30)


def test_a_part_of_the_quick_run_through_slurm_gives_the_same_bytes(
    cluster, copy, snakemake, known, one_core
):
    tree = copy("slurm")
    # There is no accounting to ask, and no queue to spare.
    asks = ["--slurm-status-command", "squeue", "--slurm-no-account"]
    asks += ["--slurm-init-seconds-before-status-checks", 5, "--seconds-between-status-checks", 5]
    done = snakemake(tree, *TARGETS, "--profile", "profiles/slurm", *asks, **known, **cluster)
    assert done.returncode == 0, done.stdout
    assert "SLURM" in done.stdout
    for target in TARGETS:
        assert (tree / target).read_bytes() == (one_core.tree / target).read_bytes(), target
    left = subprocess.run(
        ["squeue", "--noheader"], env=os.environ | cluster, capture_output=True, text=True
    )
    assert not left.stdout.strip()
    assert not [path for path in contents(tree) if path.endswith(".part")]
