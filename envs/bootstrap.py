"""Set up .venv for `make`: a virtual environment, the hash-locked requirements, this checkout.

Standard library only, and no help from the system's pip or ensurepip, which many systems lack or
lock: the pip wheel beside this file, checked against build.lock, installs everything. Nothing
happens where .venv is already what the lock files say.
"""

from __future__ import annotations  # so that a Python too old gets as far as being told so

import fcntl
import hashlib
import os
import subprocess
import sys
import venv
from pathlib import Path

ENVS = Path(__file__).resolve().parent
CHECKOUT = ENVS.parent
VENV = CHECKOUT / ".venv"
PYTHON = VENV / "bin" / "python"
STAMP = VENV / "ready"
BUILD, REQUIREMENTS = ENVS / "build.lock", ENVS / "requirements.lock"


def state() -> str:
    """Digest of all that .venv depends on."""
    python = f"{sys.version}\0{os.path.realpath(sys.executable)}"
    digest = hashlib.sha256(f"{python}\0{CHECKOUT}".encode())
    for path in (Path(__file__), BUILD, REQUIREMENTS, CHECKOUT / "pyproject.toml"):
        digest.update(path.read_bytes())
    return digest.hexdigest()


def pip_wheel() -> Path:
    """The pip wheel beside this file, if build.lock knows its hash."""
    (wheel,) = ENVS.glob("pip-*.whl")
    if f"--hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}" not in BUILD.read_text():
        sys.exit(f"{wheel}: its hash is not in build.lock; check the file out again")
    return wheel


def run(what: str, *command: str | Path) -> None:
    """Run a step in .venv; exit with one line where it fails."""
    print(f"setup: {what}", file=sys.stderr, flush=True)
    if subprocess.run([PYTHON, "-I", *command], env={**os.environ, "PIP_USER": "0"}).returncode:
        sys.exit(f"setup: {what}: failed, see above; pip's own configuration names its index")


def main() -> None:
    """Make .venv anew unless its stamp says that it is this state's."""
    if not (3, 11) <= sys.version_info[:2] <= (3, 13):
        found = ".".join(map(str, sys.version_info[:3]))
        sys.exit(f"setup: Python 3.11, 3.12 or 3.13 is needed, this is {found}; set PYTHON to one")
    with Path(__file__).open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        wanted = state()
        if STAMP.exists() and STAMP.read_text() == wanted:
            return
        print(f"setup: virtual environment {VENV}", file=sys.stderr, flush=True)
        venv.EnvBuilder(clear=True, symlinks=True).create(VENV)
        install = ("install", "-qq", "--disable-pip-version-check")
        locked = (*install, "--require-hashes", "--no-build-isolation", "--requirement")
        run("installer and build backends", pip_wheel() / "pip", *locked, BUILD)
        run("locked requirements (the long step)", "-m", "pip", *locked, REQUIREMENTS)
        local = (*install, "--no-index", "--no-deps", "--no-build-isolation", "--editable")
        run("lingqu", "-m", "pip", *local, CHECKOUT)
        STAMP.write_text(wanted)


if __name__ == "__main__":
    main()
