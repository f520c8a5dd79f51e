import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lingqu
from lingqu.base.jit import kernel

MODULES = (
    "__init__",
    "cache_folder",
    "jit",
    "inner",
    "journal",
    "kernel_cache",
    "lock",
    "progress",
    "reading",
)
CALLEE = "from lingqu.base.jit import kernel\n\n@kernel\ndef step(value):\n    return value + {}\n"
CALLER = """
from lingqu.base.jit import kernel
from lingqu.callee import step

@kernel
def twice(value):
    return step(step(value))

print(twice(0))
"""
HOLDER = """
import os, pathlib, signal, sys
from lingqu.base import lock
lock.lock(pathlib.Path(sys.argv[1]))
os.kill(os.getpid(), signal.SIGSTOP)
"""
COMPILING = "compiling kernels, once for this version and processor: under a minute"


@pytest.fixture
def package(tmp_path):
    """A copy of the package's basement with two kernels, one calling the other."""
    copy = tmp_path / "lingqu"
    (copy / "base").mkdir(parents=True)
    source = Path(lingqu.__file__).parent
    for name in ("__init__.py", *(f"base/{module}.py" for module in MODULES)):
        shutil.copy(source / name, copy / name)
    (copy / "caller.py").write_text(CALLER)
    return copy


def start_caller(package: Path, module: str = "caller", **environment) -> subprocess.Popen:
    environment = {
        **os.environ,
        "PYTHONPATH": str(package.parent),
        "NUMBA_CACHE_DIR": str(package.parent / "cache"),
        "PYTHONDONTWRITEBYTECODE": "1",
        **environment,
    }
    command = [sys.executable, "-m", f"lingqu.{module}"]
    return subprocess.Popen(
        command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )


def run_caller(package: Path, **environment) -> tuple[str, list[str]]:
    """What the kernel gave, and the lines that were said."""
    caller = start_caller(package, **environment)
    out, err = caller.communicate()
    assert caller.returncode == 0, err
    return out.strip(), err.splitlines()


def test_an_edited_callee_in_another_file_is_compiled_again(package):
    (package / "callee.py").write_text(CALLEE.format(1))
    assert run_caller(package) == ("2", [COMPILING])
    assert run_caller(package) == ("2", [])
    (package / "callee.py").write_text(CALLEE.format(10))
    assert run_caller(package) == ("20", [COMPILING])
    assert len(list((package.parent / "cache").iterdir())) == 2


def test_processes_that_start_at_once_on_no_cache_agree(package):
    (package / "callee.py").write_text(CALLEE.format(4))
    callers = [start_caller(package) for _ in range(4)]
    told = [caller.communicate() for caller in callers]
    assert [caller.returncode for caller in callers] == [0] * 4, told
    assert {out for out, _ in told} == {"8\n"}
    assert sum(COMPILING in err for _, err in told) == 1  # the others wait, or find it done
    (folder,) = (package.parent / "cache").iterdir()
    assert sorted(path.name.split("-")[0] for path in folder.iterdir()) == ["step", "twice"]
    assert run_caller(package) == ("8", [])


def test_who_compiles_and_is_stopped_is_not_waited_for(package):
    (package / "callee.py").write_text(CALLEE.format(2))
    assert run_caller(package) == ("4", [COMPILING])
    folder = next((package.parent / "cache").iterdir())
    for path in folder.glob("*.kernel"):
        path.rename(folder / f".{path.name}.lock")
    holders = [subprocess.Popen([sys.executable, "-c", HOLDER, path]) for path in folder.iterdir()]
    for holder in holders:
        assert os.WIFSTOPPED(os.waitpid(holder.pid, os.WUNTRACED)[1])
    assert run_caller(package)[0] == "4"
    for holder in holders:
        holder.kill()
        holder.wait()


def test_what_is_compiled_is_lent(package):
    (package / "callee.py").write_text(CALLEE.format(7))
    there = package.parent / "there"
    code = "import pathlib\nfrom lingqu.base.cache_folder import lend\nlend(pathlib.Path({!r}))"
    (package / "lend.py").write_text(code.format(str(there)))
    assert run_caller(package) == ("14", [COMPILING])
    assert start_caller(package, "lend").wait() == 0
    assert run_caller(package, NUMBA_CACHE_DIR=str(there)) == ("14", [])


@pytest.mark.parametrize("harm", [lambda data: data[:100], lambda data: data[:-9] + bytes(9)])
def test_what_a_crash_left_is_compiled_again(package, harm):
    (package / "callee.py").write_text(CALLEE.format(6))
    run_caller(package)
    for path in (package.parent / "cache").rglob("*.kernel"):
        path.write_bytes(harm(path.read_bytes()))
    assert run_caller(package) == ("12", [COMPILING])
    assert run_caller(package) == ("12", [])


@pytest.fixture
def elsewhere(tmp_path):
    """An environment whose cache folder cannot be made: a file is in its place."""
    (tmp_path / "file").write_text("")
    return {"NUMBA_CACHE_DIR": str(tmp_path / "file" / "x"), "TMPDIR": str(tmp_path)}


def test_where_no_cache_can_be_written_a_line_says_so(package, elsewhere):
    (package / "callee.py").write_text(CALLEE.format(3))
    result, told = run_caller(package, **elsewhere)
    assert (result, told[0], len(told)) == ("6", COMPILING, 2)
    assert "/file/x/" in told[1]
    assert "set NUMBA_CACHE_DIR" in told[1]
    assert run_caller(package, **elsewhere) == ("6", [])


@pytest.mark.skipif(os.getuid() == 0, reason="root may write everywhere")
def test_a_filled_cache_that_may_only_be_read_is_used(package, tmp_path):
    (package / "callee.py").write_text(CALLEE.format(3))
    assert run_caller(package) == ("6", [COMPILING])
    folders = [tmp_path / "cache", *(tmp_path / "cache").iterdir()]
    for folder in folders:
        folder.chmod(0o500)
    try:
        assert run_caller(package, TMPDIR=str(tmp_path)) == ("6", [])
    finally:
        for folder in folders:
            folder.chmod(0o700)


def test_a_user_without_a_home_is_borne(package, tmp_path):
    (package / "callee.py").write_text(CALLEE.format(3))
    unknown = {"NUMBA_CACHE_DIR": "", "XDG_CACHE_HOME": "", "HOME": "/proc/nowhere"}
    result, told = run_caller(package, TMPDIR=str(tmp_path), **unknown)
    assert (result, len(told)) == ("6", 2)
    assert list(tmp_path.glob(f"lingqu-{os.getuid()}/*/*.kernel"))


def test_a_temporary_cache_that_others_can_write_is_not_trusted(package, tmp_path, elsewhere):
    (package / "callee.py").write_text(CALLEE.format(3))
    planted = tmp_path / f"lingqu-{os.getuid()}"
    planted.mkdir()
    planted.chmod(0o777)
    assert run_caller(package, **elsewhere)[0] == "6"
    assert not list(planted.iterdir())
    planted.chmod(0o700)
    assert run_caller(package, **elsewhere)[0] == "6"
    assert list(planted.iterdir())


def test_fastmath_is_refused():
    with pytest.raises(ValueError, match="fastmath"):
        kernel(fastmath=True)(lambda value: value)


def test_importing_the_package_loads_no_numba():
    code = "import sys, lingqu, lingqu.cli.main; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
