"""A real Slurm of a few nodes on one machine, for tests: starts in seconds, leaves nothing.

python tests/cluster/lab/slurm_lab.py            a shell on the login node
python tests/cluster/lab/slurm_lab.py squeue     a command on it
"""

import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import psutil
from machine import Machine, MachineError

PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "unshare", "nsenter")
ACCOUNTING_PROGRAMS = ("slurmdbd", "mariadbd", "mariadb-install-db")

_SHARED = "64m"

_CONFIGURATION = """
ClusterName=lab
SlurmctldHost=control(127.0.0.1)
SlurmctldPort={port}
SlurmUser=root
SlurmdUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
# what root of a container may do: no cgroups, no pinning
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=task=1
SwitchType=switch/none
MpiDefault=none
PropagateResourceLimits=NONE
SlurmdParameters=config_overrides
CommunicationParameters=NoAddrCache
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=1,bf_interval=1,batch_sched_delay=0
# be quick to notice and to act
ReturnToService=2
SlurmctldTimeout=10
SlurmdTimeout={silence}
MessageTimeout=5
TCPTimeout=1
InactiveLimit=30
KillWait=2
OverTimeLimit=0
CompleteWait=0
UnkillableStepTimeout=30
# squeue --states=all tells of ended jobs for this long
MinJobAge=600
MaxJobCount={jobs}
{accounting}
{nodes}
PartitionName=main Nodes=ALL Default=YES MaxTime=7-00:00:00 DefMemPerCPU=500 State=UP
"""

_DATABASE = """
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
DbdHost=control
DbdAddr=127.0.0.1
DbdPort={port}
SlurmUser=root
PidFile={folder}/slurmdbd.pid
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={sql}
StorageUser=slurm
StoragePass=slurm
StorageLoc=accounts
"""

_SQL = """
CREATE DATABASE accounts;
CREATE USER slurm@'127.0.0.1' IDENTIFIED BY 'slurm';
CREATE USER slurm@localhost IDENTIFIED BY 'slurm';
GRANT ALL ON accounts.* TO slurm@'127.0.0.1';
GRANT ALL ON accounts.* TO slurm@localhost;
"""


def obstacle(accounting: bool = False) -> str | None:
    """Why there can be no Slurm of one's own here, or None."""
    if os.geteuid():
        return "a Slurm of one's own needs root"
    programs = PROGRAMS + (ACCOUNTING_PROGRAMS if accounting else ())
    missing = [name for name in programs if not shutil.which(name)]
    if missing:
        packages = "slurm-wlm munge" + (" slurmdbd mariadb-server" if accounting else "")
        return f"{', '.join(missing)} not installed: apt-get install {packages}"
    if subprocess.run(["unshare", "--pid", "--mount", "--uts", "--fork", "true"]).returncode:
        return "unshare is not permitted here"
    return None


@dataclass(frozen=True)
class Job:
    """A line of squeue. state: RUNNING, ...; node: where it runs, else why it does not."""

    id: str
    name: str
    state: str
    node: str


class Slurm:
    """Machines: control, login (where `run` starts commands), and the nodes n1, n2, ..."""

    def __init__(
        self, folder: Path, nodes=3, cpus=2, memory=4000, silence=6, jobs=10_000, accounting=False
    ):
        """memory: MB of a node (declared, not enforced); silence: seconds until a node is down.

        jobs: at most, those included that ended not long ago.
        """
        self.folder = folder
        self.nodes = {f"n{number}": f"127.0.0.{10 + number}" for number in range(1, nodes + 1)}
        self.accounting = accounting
        self._sizes = (cpus, memory, silence, jobs)
        self._ports = _free_ports(nodes + 3)
        self._machines: dict[str, Machine] = {}

    def __enter__(self) -> "Slurm":
        try:
            self._start()
        except BaseException:
            self.__exit__()
            raise
        return self

    @property
    def shared(self) -> Path:
        """A small disk of its own that all machines see, and this process by `seen`."""
        return self.folder / "shared"

    def seen(self, path: Path) -> Path:
        """A path on all machines as this process sees it."""
        return self["control"].seen(path)

    def __exit__(self, *_: object) -> None:
        for machine in reversed(self._machines.values()):
            machine.kill()

    def __getitem__(self, name: str) -> Machine:
        return self._machines[name]

    def _start(self) -> None:
        for name in ("etc", "log", "scratch", "shared", "state"):
            (self.folder / name).mkdir()
        (self.folder / "munge.key").write_bytes(secrets.token_bytes(128))
        (self.folder / "munge.key").chmod(0o600)
        self._configure()
        control = self._up("control", "munged", "--foreground", "--force", *self._munge_options())
        control.ask("mount", "-t", "tmpfs", "-o", f"size={_SHARED}", "shared", self.shared)
        wait_for((self.folder / "munge.socket").exists, "munged")
        if self.accounting:
            self._start_accounting(control)
        control.start_process("slurmctld", "-D", **self._log("slurmctld"))
        self._up("login")
        for node in self.nodes:
            self.node_up(node)
        wait_for(lambda: self.states() == dict.fromkeys(self.nodes, "idle"), "the nodes")

    def _munge_options(self) -> list[str]:
        names = {"socket": "munge.socket", "key-file": "munge.key", "pid-file": "munged.pid"}
        names |= {"log-file": "log/munged.log", "seed-file": "munge.seed"}
        return [f"--{option}={self.folder / name}" for option, name in names.items()]

    def _log(self, name: str) -> dict:
        log = (self.folder / "log" / f"{name}.log").open("ab")
        return {"stdin": subprocess.DEVNULL, "stdout": log, "stderr": log}

    def _configure(self) -> None:
        cpus, memory, silence, jobs = self._sizes
        port, database, _sql, *ports = self._ports
        accounting = "AccountingStorageType=accounting_storage/none"
        if self.accounting:
            accounting = (
                "AccountingStorageType=accounting_storage/slurmdbd\n"
                f"AccountingStorageHost=127.0.0.1\nAccountingStoragePort={database}\n"
                f"AccountingStoragePass={self.folder}/munge.socket"
            )
        nodes = "\n".join(
            f"NodeName={name} NodeAddr={address} Port={port} CPUs={cpus} CoresPerSocket={cpus}"
            f" RealMemory={memory} State=UNKNOWN"
            for (name, address), port in zip(self.nodes.items(), ports, strict=True)
        )
        told = {"folder": self.folder, "port": port, "silence": silence, "jobs": jobs}
        text = _CONFIGURATION.format(accounting=accounting, nodes=nodes, **told)
        (self.folder / "etc" / "slurm.conf").write_text(text)
        names = {"control": "127.0.0.1", "login": "127.0.0.1"} | self.nodes
        lines = "".join(f"{address} {name}\n" for name, address in names.items())
        (self.folder / "hosts").write_text(lines + Path("/etc/hosts").read_text())

    def _start_accounting(self, control: Machine) -> None:
        _, port, sql, *_ = self._ports
        folder = self.folder
        data, file = f"--datadir={folder}/sql", folder / "etc" / "slurmdbd.conf"
        own = ("--no-defaults", "--user=root", data)
        subprocess.run(
            [
                "mariadb-install-db",
                *own,
                "--skip-test-db",
                "--auth-root-authentication-method=normal",
            ],
            check=True,
            capture_output=True,
        )
        (folder / "accounts.sql").write_text(_SQL)
        control.start_process(
            "mariadbd",
            *own,
            f"--socket={folder}/sql.socket",
            "--bind-address=127.0.0.1",
            f"--port={sql}",
            f"--init-file={folder}/accounts.sql",
            "--innodb-buffer-pool-size=64M",
            "--innodb-lock-wait-timeout=900",
            "--innodb-flush-log-at-trx-commit=0",
            **self._log("mariadbd"),
        )
        wait_for(lambda: _listens(sql), "mariadbd")
        file.write_text(_DATABASE.format(folder=folder, port=port, sql=sql))
        file.chmod(0o600)
        control.start_process("slurmdbd", "-D", **self._log("slurmdbd"))
        wait_for(lambda: _listens(port), "slurmdbd")
        for words in ("cluster lab", "account lab", "user root account=lab adminlevel=admin"):
            control.ask("sacctmgr", "--immediate", "add", *words.split())

    def _up(self, name: str, *words: str) -> Machine:
        beside = self._machines.get("control")
        self._machines[name] = Machine(self.folder, name, words or ("true",), beside=beside).start()
        return self._machines[name]

    def node_up(self, name: str) -> None:
        """Start a node that is not there."""
        self._up(name, "slurmd", "-D", "-N", name)

    def node_down(self, name: str) -> None:
        """Take the power from a node."""
        self._machines[name].kill()

    def daemon(self, node: str) -> psutil.Process:
        """The slurmd of a node; what it started goes on without it."""
        return next(x for x in self._machines[node].processes() if x.name() == "slurmd")

    def start(self, *words: str, **options) -> subprocess.Popen:
        """Start a command on the login node: see Machine.start_process."""
        return self._machines["login"].start_process(*words, **options)

    def ask(self, *words: str) -> str:
        """What a command on the login node prints; CalledProcessError where it fails."""
        return self._machines["login"].ask(*words)

    def states(self) -> dict[str, str]:
        """Each node's state, as sinfo tells it: idle, mixed, allocated, down, ..."""
        with contextlib.suppress(subprocess.CalledProcessError):
            return dict(x.split() for x in self.ask("sinfo", "-hNo", "%N %T").splitlines())
        return {}

    def jobs(self, *options: str) -> list[Job]:
        """The jobs that squeue tells of; "--states=all": also those that ended."""
        lines = self.ask("squeue", "-ho", "%A|%j|%T|%R", *options).splitlines()
        return [Job(*line.split("|", 3)) for line in lines]

    def calm(self) -> None:
        """Cancel all jobs, bring all nodes back, empty their disks: as it was at the start."""
        self.ask("scancel", "--user=root")
        for node, state in self.states().items():
            if state.startswith("drain"):
                self.ask("scontrol", "update", f"nodename={node}", "state=resume")
            if state.startswith("down") or not _alive(self._machines[node]):
                self.node_down(node)
                self.node_up(node)
        wait_for(lambda: self.states() == dict.fromkeys(self.nodes, "idle"), "the nodes")
        for node in self.nodes:
            for path in self._machines[node].on_scratch().iterdir():
                shutil.rmtree(path, ignore_errors=True)
                path.unlink(missing_ok=True)


def _alive(machine: Machine) -> bool:
    with contextlib.suppress(AttributeError, IndexError, psutil.NoSuchProcess):
        return any(process.name() == "slurmd" for process in machine.processes())
    return False


def _listens(port: int) -> bool:
    with socket.socket() as trial:
        return trial.connect_ex(("127.0.0.1", port)) == 0


def _free_ports(count: int) -> list[int]:
    """Consecutive ports below those that the kernel gives out; apart for labs side by side."""
    for first in range(17_000 + os.getpid() % 500 * 20, 32_000, 20):
        with contextlib.suppress(OSError):
            for port in range(first, first + count):
                with socket.create_server(("0.0.0.0", port)):
                    pass
            return list(range(first, first + count))
    raise MachineError("no free ports")


def wait_for(condition: Callable[[], object], what: str, seconds: float = 90) -> None:
    """Return when `condition` holds; TimeoutError after `seconds`."""
    end = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"waited {seconds} s for {what}")
        time.sleep(0.05)


@contextlib.contextmanager
def slurm(**options) -> Iterator[Slurm]:
    """A Slurm in a folder of its own, removed at the end."""
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))
    try:
        with Slurm(folder, **options) as lab:
            yield lab
    finally:
        shutil.rmtree(folder)


if __name__ == "__main__":
    if told := obstacle():
        sys.exit(told)
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with slurm() as lab:
        process = lab.start(*(sys.argv[1:] or ["bash"]), cwd=Path.cwd())
        sys.exit(process.wait())
