"""`lingqu kernels` as a process, with a package that brings tools, and with broken ones."""

import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pysam
import pytest

PLUGIN = Path(__file__).parent / "plugin"
README = Path(__file__).parents[2] / "kernels" / "README.md"


def lingqu(*arguments, path=None, **options):
    """Run the command line, with a folder of packages if one is given."""
    paths = [str(path)] * bool(path) + [os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(filter(None, paths))}
    command = [sys.executable, "-m", "lingqu", *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, env=environment, **options)


def _install(folder, package, source):
    """What pip leaves of a pure package: its modules, and a dist-info folder."""
    about = tomllib.loads(source)["project"]
    info = folder / f"{package}-{about['version']}.dist-info"
    info.mkdir()
    facts = f"Name: {package}\nVersion: {about['version']}\n"
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\n{facts}")
    text = ""
    for group, entries in about["entry-points"].items():
        text += f"[{group}]\n" + "".join(f"{name} = {where}\n" for name, where in entries.items())
    (info / "entry_points.txt").write_text(text)


@pytest.fixture(scope="module")
def cautious(tmp_path_factory):
    """A folder with the example package and a broken one."""
    folder = tmp_path_factory.mktemp("site")
    shutil.copytree(PLUGIN / "cautious", folder / "cautious")
    _install(folder, "cautious", (PLUGIN / "pyproject.toml").read_text())
    entries = '[project.entry-points."lingqu.aligners"]\nlost = "lost.module"\n'
    _install(folder, "lost", f'[project]\nversion = "1"\n{entries}')
    return folder


LOST = "skipped: aligner lost of lost (lost.module): ModuleNotFoundError: No module named 'lost'\n"


def test_the_list_tells_what_is_there_and_what_is_broken(cautious, tmp_path):
    found = lingqu("kernels", "--json", tmp_path / "list.json", path=cautious)
    assert found.returncode == 0, found.stderr
    assert found.stderr == LOST
    lists = json.loads((tmp_path / "list.json").read_text())
    assert list(lists) == ["kernels", "aligners", "callers"]
    assert "lingqu.align.kernels.extend:align_lanes" in [row["where"] for row in lists["kernels"]]
    assert lists["aligners"][1:] == [
        {"name": "cautious", "what": "cautious, 1.0", "where": "cautious.aligner"}
    ]
    for rows in lists.values():
        for row in rows:
            assert re.search(rf"^  {row['name']} +{re.escape(row['what'])}$", found.stdout, re.M)


def test_the_list_loads_no_compiler():
    code = "import sys; sys.argv[1:] = ['kernels']\n"
    code += "from lingqu.cli.main import lingqu\nlingqu(standalone_mode=False)\n"
    code += "sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_a_plugin_is_checked_as_the_built_in_one_is(cautious):
    names = ["aligner:cautious", "caller:cautious"]
    found = lingqu("kernels", "check", *names, "--rounds", 1, "--size", 20, path=cautious)
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout == "".join(f"{name:16}  agrees on all inputs (1)\n" for name in names)
    broken = lingqu("kernels", "check", "aligner:lost", path=cautious)
    assert broken.returncode == 1
    assert broken.stderr.startswith("lingqu: error: lost: the aligner of lost is broken (Module")


def test_a_plugin_aligns(cautious, reference, few_reads, tmp_path):
    out = tmp_path / "x.bam"
    given = ["align", reference, *few_reads, "--sample", "S", "-o", out, "-t", 1]
    found = lingqu(*given, "--aligner", "cautious", path=cautious)
    assert found.returncode == 0, found.stderr
    with pysam.AlignmentFile(str(out)) as reader:
        assert reader.header["PG"][0]["CL"].endswith("--sample S --aligner cautious==1.0")
        assert max(record.mapping_quality for record in reader) == 30
    for name, told in (
        ("nobody", "no such aligner; `lingqu kernels` lists what is installed"),
        ("cautious==2", "cautious has version 1.0 of it here"),
    ):
        refused = lingqu(*given, "--aligner", name, path=cautious)
        assert refused.returncode == 1
        assert told in refused.stderr.splitlines()[-1]


def test_a_plugin_calls(cautious, tmp_path, demo_calls):
    reference, bam = demo_calls
    out = tmp_path / "x.vcf"
    found = lingqu(
        "call", reference, bam, "-o", out, "-t", 1, "--caller", "cautious", path=cautious
    )
    assert found.returncode == 0, found.stderr
    lines = out.read_text().splitlines()
    assert "##lingqu_caller=cautious==1.0" in lines
    calls = [line.split("\t") for line in lines if not line.startswith("#")]
    assert len(calls) > 3
    assert {columns[6] for columns in calls} == {"PASS"}


@pytest.fixture(scope="module")
def demo_calls(reference, deep_reads, tmp_path_factory):
    """A BAM of a 10 kb window at full depth, and its reference."""
    bam = tmp_path_factory.mktemp("calls") / "x.bam"
    found = lingqu("align", reference, *deep_reads, "--sample", "S", "-o", bam, "-t", 1)
    assert found.returncode == 0, found.stderr
    return reference, bam


WRONG = """
from dataclasses import replace
from lingqu.oracles.pairing import DUPLICATES


def bind(first, second, score):
    call = DUPLICATES.bind(first, second, score)
    return lambda: call() * (len(first) < 9)


TRIAL = replace(DUPLICATES, bind=bind)
"""


def test_a_disagreement_is_told_with_an_input_that_brings_it_back(tmp_path):
    (tmp_path / "wrong.py").write_text(WRONG)
    found = lingqu("kernels", "check", "mapq", "wrong:TRIAL", cwd=tmp_path)
    assert found.returncode == 1
    right, wrong, *inputs = found.stdout.splitlines()
    assert right == "mapq         agrees on all inputs (40)"
    seed, size = re.search(r"DISAGREES at --seed (\d+) --size (\d+): \[", wrong).groups()
    assert [line.split(" = ")[0].strip() for line in inputs] == ["first", "second", "score"]
    again = lingqu(
        "kernels", "check", "wrong:TRIAL", "--seed", seed, "--size", size, "--rounds", 1,
        cwd=tmp_path,
    )  # fmt: skip
    assert again.stdout.splitlines()[1:] == inputs


def test_time_tells_compilation_apart():
    found = lingqu("kernels", "time", "mapq", "--seconds", 0.01, "--size", 500)
    assert found.returncode == 0, found.stderr
    first, best, *rest = found.stdout.splitlines()
    assert re.fullmatch(r"first call +[\d.]+ s (from the cache|to compile \(\d+\))", first)
    assert re.fullmatch(r"best +[\d.e+]+ ns a read, 500 a call", best)
    assert [line.split("  ")[0] for line in rest] == ["median", "plain Python"]


def test_an_unknown_name_is_one_line():
    for command in ("check", "time"):
        found = lingqu("kernels", command, "nothing")
        assert found.returncode == 1
        told = "lingqu: error: nothing: no such kernel; `lingqu kernels` lists them\n"
        assert found.stderr == told


@pytest.fixture(scope="module")
def book(tmp_path_factory):
    """The Python of kernels/README.md, as a reader would put it down."""
    folder = tmp_path_factory.mktemp("book")
    blocks = re.findall(r"^```python\n(.*?)^```", README.read_text(), re.M | re.S)
    (folder / "lanes.py").write_text("\n\n".join(blocks))
    return folder


def test_the_worked_example_is_right(book):
    found = lingqu("kernels", "check", "lanes:COMPILED", "lanes:IN_LANES", cwd=book)
    assert found.returncode == 0, found.stdout + found.stderr
    assert found.stdout.count("agrees on all inputs (40)") == 2


def test_the_worked_example_is_packed(book):
    code = "import lanes; print(lanes.packed())"
    path = os.pathsep.join(filter(None, (str(book), os.environ.get("PYTHONPATH"))))
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True,
        env=os.environ | {"PYTHONPATH": path},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    counts = json.loads(done.stdout.replace("'", '"'))
    assert counts["paddw"] + counts["psubw"] > 0
    assert counts["pmaxsw"] > 0
