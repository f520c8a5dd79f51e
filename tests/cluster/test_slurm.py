"""What is asked of Slurm, and what its answers mean; small scripts stand in for Slurm."""

import asyncio
import os
from pathlib import Path

import pytest

from lingqu.base.errors import LingquError
from lingqu.cluster import node, slurm
from lingqu.cluster.desk import Desk
from lingqu.cluster.jobs import ENDED, RUNNING, WAITING, NotNowError, State, tail
from lingqu.cluster.pool import Pool

SETTINGS = {"margin": 120, "time": "2-00:00:00", "partition": "long", "sbatch": ["--qos=high"]}


@pytest.mark.parametrize(
    ("walltime", "found"),
    [("30", 1800), ("45:30", 2730), ("12:00:00", 43200), ("2-00:00:00", 172800), ("1-12", 129600)],
)
def test_times_as_slurm_writes_them(walltime, found):
    assert slurm.seconds(walltime) == found


@pytest.mark.parametrize(
    ("settings", "found"),
    [
        ({}, (16, 1)),
        ({"threads": 4}, (4, 4)),
        ({"processes": 2}, (2, 8)),
        ({"threads": 32}, (1, 32)),
    ],
)
def test_workers_fill_the_cores_of_a_node(settings, found):
    assert node.shape(settings, 16) == found


def test_a_job_fills_its_node():
    lines = slurm.script(SETTINGS, "abc", Path("/run/scheduler.json")).splitlines()
    assert lines[0] == "#!/bin/bash"
    some = ("nodes=1", "exclusive", "partition=long", "time=2-00:00:00", "qos=high", "no-requeue")
    for option in (*some, "signal=B:USR1@120", "job-name=lingqu-abc"):
        assert f"#SBATCH --{option}" in lines
    assert lines[-1].startswith("exec ")
    assert lines[-1].endswith("lingqu.cluster.node /run/scheduler.json")
    some = slurm.script(SETTINGS | {"cores": 8, "setup": ["module load x"]}, "abc", Path("/r/s"))
    assert "#SBATCH --cpus-per-task=8" in some
    assert "--exclusive" not in some
    assert some.splitlines()[-2] == "module load x"


@pytest.mark.parametrize(
    ("reason", "words"),
    [
        ("Priority", "the queue is full"),
        ("QOSMaxCpuPerUserLimit", "a limit of your account or QOS"),
        ("AssocGrpNodeLimit", "a limit of your account or QOS"),
        ("ReqNodeNotAvail, UnavailableNodes:n1", "nodes are down or reserved"),
        ("JobHeldUser", "they are held"),
    ],
)
def test_reasons_in_words(reason, words):
    assert slurm.in_words(reason).startswith(words)
    assert reason in slurm.in_words(reason)


POLICY = (
    "Batch job submission failed: Job violates accounting/QOS policy (job submit limit, user's"
    " size and/or time limits)"
)


def write_command(folder: Path, name: str, lines: str) -> None:
    (folder / name).write_text(f"#!/bin/sh\n{lines}\n")
    (folder / name).chmod(0o755)


@pytest.fixture
def commands(tmp_path, monkeypatch):
    """A folder first on PATH."""
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    return tmp_path


def test_states_of_jobs(commands):
    write_command(commands, "sbatch", f"echo x >> {commands}/n; wc -l < {commands}/n")
    write_command(
        commands, "squeue", "printf '1|RUNNING|None\\n2|PENDING|Priority\\n3|NODE_FAIL|x\\n'"
    )

    async def see():
        jobs = slurm.SlurmJobs(SETTINGS, "abc", commands / "s.json")
        names = [await jobs.submit() for _ in range(4)]
        return names, await jobs.states()

    names, states = asyncio.run(see())
    assert names == ["1", "2", "3", "4"]
    assert states["1"] == State(RUNNING, "None")
    assert states["2"] == State(WAITING, "Priority")
    assert states["3"] == State(ENDED, "NODE_FAIL")
    assert states["4"].phase == ENDED


def test_what_sbatch_refuses_is_told(commands):
    write_command(
        commands, "sbatch", "echo 'sbatch: error: invalid partition specified: x' >&2; exit 1"
    )
    with pytest.raises(LingquError, match="invalid partition specified: x; mend the profile"):
        asyncio.run(slurm.SlurmJobs(SETTINGS, "abc", commands / "s.json").submit())


@pytest.mark.parametrize(
    ("says", "jobs", "wait"),
    [
        (f"QOSMaxSubmitJobPerUserLimit\nsbatch: error: {POLICY}", "7", "as many jobs as you may"),
        (f"AssocMaxSubmitJobLimit\nsbatch: error: {POLICY}", "7", "AssocMaxSubmitJobLimit"),
        (POLICY, "7", "job submit limit"),
        (f"QOSGrpSubmitJobsLimit\nsbatch: error: {POLICY}", "", "QOSGrpSubmitJobsLimit"),
        ("Slurm job queue full, sleeping and retrying", "", "job queue full"),
        ("Batch job submission failed: Unable to contact slurm controller", "", "takes no job now"),
        ("Batch job submission failed: Socket timed out on send/recv", "", "takes no job now"),
        (POLICY, "", ""),
        (f"QOSMaxCpuPerJobLimit\nsbatch: error: {POLICY}", "7", ""),
        ("Batch job submission failed: Invalid qos specification", "7", ""),
    ],
)
def test_what_sbatch_refuses_for_now_is_waited_for(says, jobs, wait, commands):
    write_command(commands, "sbatch", f'echo "sbatch: error: {says}" >&2; exit 1')
    write_command(commands, "squeue", f"echo {jobs}")
    submitted = slurm.SlurmJobs(SETTINGS, "abc", commands / "s.json").submit()
    with pytest.raises(NotNowError if wait else LingquError, match=wait or "mend the profile"):
        asyncio.run(submitted)


def test_an_sbatch_that_sleeps_is_not_waited_for(commands, monkeypatch):
    monkeypatch.setattr(slurm, "_SBATCH_PATIENCE", 0.5)
    says = "sbatch: error: Slurm job queue full, sleeping and retrying"
    write_command(commands, "sbatch", f'echo "{says}" >&2; exec sleep 60')
    with pytest.raises(NotNowError, match="queue full"):
        asyncio.run(slurm.SlurmJobs(SETTINGS, "abc", commands / "s.json").submit())


def test_a_squeue_that_fails_says_nothing_of_jobs(commands):
    write_command(commands, "squeue", "exit 1")
    assert asyncio.run(slurm.SlurmJobs(SETTINGS, "abc", commands / "s.json").states()) is None


ACCOUNTED = """\
7|245|4|13:05.250||CANCELLED by 0
7.batch|245|4|13:04.200|1514028K|CANCELLED
7.extern|245|4|00:00.001|0|COMPLETED
8|100|4|05:20.123||CANCELLED by 0
8.batch|100|4|05:20.100|1.50G|CANCELLED
"""
"""In the form of sacct(1), where a site has slurmdbd."""

RUNS_ON = ACCOUNTED.replace("|05:20.100|1.50G|CANCELLED", "|00:00:00||RUNNING")
NO_GATHERING = "9|60|2|00:00:00||TIMEOUT\n9.batch|60|2|00:00:00||CANCELLED\n"


@pytest.mark.parametrize(
    ("table", "found"),
    [
        (RUNS_ON, ""),
        (NO_GATHERING, "1 jobs, 0.033 core-hours"),
        ("", ""),
    ],
)
def test_accounting_of_sites_that_know_less(table, found):
    assert slurm.accounted(table) == found


def test_times_and_sizes_of_accounting():
    assert slurm.cpu_seconds("1-02:03:04.5") == 86400 + 2 * 3600 + 3 * 60 + 4.5
    assert slurm.cpu_seconds("00:00.120") == 0.12
    assert [slurm.size(text) for text in ("", "0", "512", "2K", "1.50G")] == [
        0, 0, 512, 2048, 1.5 * 2**30,
    ]  # fmt: skip


def test_accounting_is_told_where_there_is_some(commands):
    write_command(commands, "sbatch", "echo 7")
    write_command(commands, "sacct", f"cat <<END\n{ACCOUNTED}END")

    async def see():
        jobs = slurm.SlurmJobs(SETTINGS, "abc", commands / "s.json")
        await jobs.submit()
        return await jobs.told()

    told = ["2 jobs, 0.383 core-hours, 80 % of it at work, 1.6 GB at most in one"]
    assert asyncio.run(see()) == told
    write_command(commands, "sacct", "echo Slurm accounting storage is disabled >&2; exit 1")
    assert asyncio.run(see()) == []


class Jobs:
    """Jobs in the states that a test wants."""

    def __init__(self, folder):
        self.folder, self.now, self.count, self.most = folder, {}, 0, 9

    async def submit(self):
        if self.count == self.most:
            raise NotNowError("full")
        self.count += 1
        self.now[str(self.count)] = State(WAITING, "Priority")
        return str(self.count)

    async def states(self):
        return dict(self.now)

    def log(self, job):
        return self.folder / job


@pytest.fixture
def pool(tmp_path):
    desk, said = Desk(None, None, None), []
    jobs = Jobs(tmp_path)
    made = Pool(jobs, 3, desk, said.append)
    made.desk, made.jobs, made.said = desk, jobs, said
    return made


def tick(pool, times=1):
    for _ in range(times):
        asyncio.run(pool.tick())


def test_nothing_is_asked_for_before_it_is_needed(pool):
    tick(pool)
    assert pool.jobs.count == 0
    pool.desk.asked = True
    tick(pool, 3)
    assert pool.jobs.count == 3


def test_what_is_waited_for_is_told_once(pool):
    pool.desk.asked = True
    tick(pool, 4)
    assert pool.said == ["waiting for 3 worker jobs: the queue is full (Priority)"]


def test_a_full_queue_is_waited_for(pool):
    pool.desk.asked, pool.jobs.most, pool._wait = True, 2, 0.0
    tick(pool, 3)
    assert pool.said == ["waiting until there may be more worker jobs: full"]
    pool.jobs.most = 3
    tick(pool, 2)
    assert pool.submitted == 3
    assert pool.said[-1] == "waiting for 3 worker jobs: the queue is full (Priority)"


def test_a_job_that_was_taken_without_a_word_counts(pool):
    pool.desk.asked, pool.jobs.most, pool._wait = True, 0, 0.0
    tick(pool)
    pool.jobs.now = {"x": State(RUNNING), "y": State(ENDED, "COMPLETED")}
    pool.jobs.most = 9
    tick(pool, 3)
    assert pool.jobs.count == 2
    assert pool.submitted == 3


def test_a_job_that_can_never_start_ends_the_run(pool):
    pool.desk.asked = True
    tick(pool)
    pool.jobs.now["2"] = State(WAITING, "PartitionTimeLimit")
    with pytest.raises(LingquError, match="job 2 can never start"):
        tick(pool)


def test_jobs_that_end_at_once_are_given_up_with_their_last_words(pool, tmp_path):
    pool.desk.asked = True
    tick(pool)
    (tmp_path / "3").write_text("line\nno such module\n")
    for job in ("1", "2", "3"):
        pool.jobs.now[job] = State(ENDED, "FAILED")
    with pytest.raises(LingquError, match="3 worker jobs in a row.*no such module"):
        tick(pool)


def test_the_end_of_a_log(tmp_path):
    assert tail(tmp_path / "none") == "no log"
    (tmp_path / "log").write_text("a\n\nb\n c\n")
    assert tail(tmp_path / "log", 3) == "b | c"
