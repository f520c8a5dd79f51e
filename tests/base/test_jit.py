import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import lingqu
from lingqu.base.jit import kernel

CALLEE = "from lingqu.base.jit import kernel\n\n@kernel\ndef step(value):\n    return value + {}\n"
CALLER = """
from lingqu.base.jit import kernel
from lingqu.callee import step

@kernel
def twice(value):
    return step(step(value))

print(twice(0))
"""


@pytest.fixture
def package(tmp_path):
    """A copy of the package's basement with two kernels, one calling the other."""
    copy = tmp_path / "lingqu"
    (copy / "base").mkdir(parents=True)
    source = Path(lingqu.__file__).parent
    for name in ("__init__.py", "base/__init__.py", "base/jit.py"):
        shutil.copy(source / name, copy / name)
    (copy / "caller.py").write_text(CALLER)
    return copy


def run_caller(package: Path, **environment) -> str:
    environment = {
        **os.environ,
        "PYTHONPATH": str(package.parent),
        "NUMBA_CACHE_DIR": str(package.parent / "cache"),
        "PYTHONDONTWRITEBYTECODE": "1",
        **environment,
    }
    command = [sys.executable, "-m", "lingqu.caller"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_an_edited_callee_in_another_file_is_compiled_again(package):
    (package / "callee.py").write_text(CALLEE.format(1))
    assert run_caller(package) == "2"
    assert run_caller(package) == "2"
    (package / "callee.py").write_text(CALLEE.format(10))
    assert run_caller(package) == "20"
    assert len(list((package.parent / "cache").iterdir())) == 2


def test_kernels_compile_where_no_cache_can_be_written(package, tmp_path):
    (package / "callee.py").write_text(CALLEE.format(3))
    blocked = tmp_path / "file"
    blocked.write_text("")
    elsewhere = {"NUMBA_CACHE_DIR": str(blocked / "x"), "TMPDIR": str(tmp_path)}
    assert run_caller(package, **elsewhere) == "6"


def test_a_temporary_cache_that_others_can_write_is_not_trusted(package, tmp_path):
    (package / "callee.py").write_text(CALLEE.format(3))
    blocked = tmp_path / "file"
    blocked.write_text("")
    planted = tmp_path / f"lingqu-{os.getuid()}"
    planted.mkdir()
    planted.chmod(0o777)
    elsewhere = {"NUMBA_CACHE_DIR": str(blocked / "x"), "TMPDIR": str(tmp_path)}
    assert run_caller(package, **elsewhere) == "6"
    assert not list(planted.iterdir())
    planted.chmod(0o700)
    assert run_caller(package, **elsewhere) == "6"
    assert list(planted.iterdir())


def test_fastmath_is_refused():
    with pytest.raises(ValueError, match="fastmath"):
        kernel(fastmath=True)(lambda value: value)


def test_importing_the_package_loads_no_numba():
    code = "import sys, lingqu, lingqu.cli.main; sys.exit('numba' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code]).returncode == 0
