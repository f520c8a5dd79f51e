"""Where compiled kernels are kept: a file a signature, written once and read by all.

Numba's own cache numbers the files of a function in an index. Of two processes that compile at
once (of two kinds of argument, or of two kinds of processor with one home) each may leave its code
under the other's number. Here the name of a file says what is in it, nothing is ever changed in
place, and what is damaged, or cannot be read or written, is compiled again. Processes that start
together do not compile the same: one does, the others wait for what it leaves.
"""

import contextlib
import hashlib
import inspect
import os
import pickle
import secrets
import zlib
from functools import cache
from pathlib import Path

from llvmlite.binding import parse_bitcode
from numba.core.caching import FunctionCache
from numba.core.codegen import JITCodeLibrary
from numba.core.compiler import CompileResult
from numba.core.runtime import rtsys
from numba.core.serialize import dumps

from lingqu.base import lock
from lingqu.base.cache_folder import SUFFIX
from lingqu.base.progress import say

_PATIENCE = 120.0
"""Seconds until what another process compiles is waited for no longer."""

_waited: set[Path] = set()
"""Folders of which another process has said that it compiles."""


def read(path: Path) -> bytes | None:
    """What `write` left under `path`; None where that is missing, damaged or out of reach."""
    try:
        data = path.read_bytes()
    except OSError:
        return None
    body = data[4:]
    return body if len(data) > 4 and zlib.crc32(body) == int.from_bytes(data[:4], "big") else None


def write(path: Path, body: bytes) -> None:
    """Put `body` and its checksum under `path`, whole or not at all.

    A full or failing disk is no fault: the kernel is then compiled again next time. Nothing is
    synced, as the checksum tells what a crash has left.
    """
    beside = path.with_name(f".{path.name}.{os.getpid()}.{secrets.token_hex(4)}")
    try:
        beside.write_bytes(zlib.crc32(body).to_bytes(4, "big") + body)
        os.replace(beside, path)
    except OSError:
        with contextlib.suppress(OSError):
            beside.unlink()


@cache
def _tell(folder: Path, unfit: Path | None) -> None:
    """Say, once a process, that it compiles, how long that takes, and where it is kept."""
    if folder in _waited:
        return
    say("compiling kernels, once for this version and processor: under a minute")
    if unfit:
        say(
            f"{unfit}: cannot be written, kernels are kept in {folder};"
            " set NUMBA_CACHE_DIR to a folder of yours"
        )


def _turn(path: Path) -> int | None:
    """The lock file `path`, after who holds it; None where that cannot be locked."""
    try:
        return lock.lock(path)
    except BlockingIOError:
        _waited.add(path.parent)
    except OSError:
        return None
    with contextlib.suppress(OSError):
        return lock.wait(path, patience=_PATIENCE)
    return None


@cache
def _source(path: str) -> str:
    """Digest of a source file; empty where there is none."""
    try:
        return hashlib.sha256(Path(path).read_bytes()).hexdigest()
    except OSError:
        return ""


class _Library(JITCodeLibrary):
    """Compiled code; its other form, for kernels that call it, is looked at when one is compiled.

    That takes half of the time to load it.
    """

    _bitcode = b""

    @classmethod
    def _unserialize(cls, codegen, state):
        name, _, (code, bitcode) = state
        library = codegen.create_library(name)
        library.enable_object_caching()
        library._set_compiled_object(code)
        library._bitcode = bitcode
        library._finalize_final_module()
        return library

    def get_pointer_to_function(self, name):
        if self._bitcode:  # its names are not known to Numba, but to LLVM
            return self._codegen._engine.get_function_address(name)
        return super().get_pointer_to_function(name)

    def _get_module_for_linking(self):
        if self._bitcode and self._shared_module is None:
            self._shared_module = parse_bitcode(self._bitcode)
            self._codegen._engine._load_defined_symbols(self._shared_module)
        return super()._get_module_for_linking()


class KernelCache(FunctionCache):
    """The compiled code of one kernel."""

    def __init__(self, function, options, folders):
        """options: of its dispatcher; folders: gives (folder to write in, one to read first)."""
        self._py_func = function
        self._options = options
        self._name = f"{function.__module__}.{function.__qualname__}"
        self._folders = folders
        self._stamp = _source(inspect.getfile(function))
        self._turns: list[tuple[Path, int]] = []

    @property
    def cache_path(self) -> str:
        """The folder written in."""
        return str(self._folders()[0])

    def _file(self, sig, codegen) -> str:
        """A name that tells function, source, options, types of arguments and processor apart."""
        key = self._index_key(sig, codegen)
        told = f"{self._name} {self._stamp} {sorted(self._options.items())} {key}"
        digest = hashlib.sha256(told.encode()).hexdigest()[:24]
        return f"{self._py_func.__name__}-{digest}{SUFFIX}"

    def load_overload(self, sig, target_context):
        """The code for the types `sig`, None where it must be compiled.

        Numba's registries of what can be compiled are left out of it: filling them takes longer
        than loading all kernels of a run, and what is compiled fills them first.
        """
        rtsys.initialize(target_context)
        name = self._file(sig, target_context.codegen())
        folder, unfit = self._folders()
        body = (unfit and read(unfit / name)) or read(folder / name) or self._awaited(folder, name)
        if body is None:
            _tell(folder, unfit)
            return None
        target_context.codegen()._library_class = _Library
        return CompileResult._rebuild(target_context, *pickle.loads(body))

    def _awaited(self, folder: Path, name: str) -> bytes | None:
        """What another process has compiled meanwhile; None where it is for this one to do."""
        path = folder / f".{name}.lock"
        if (handle := _turn(path)) is not None:
            self._turns.append((path, handle))
        return read(folder / name)

    def end_turn(self) -> None:
        """Let others have what was compiled, or try it where that failed."""
        while self._turns:
            path, handle = self._turns.pop()
            path.unlink(missing_ok=True)
            lock.release(handle)

    def save_overload(self, sig, data) -> None:
        """Keep the code for the types `sig`."""
        if self._stamp and not data.lifted and not data.library.has_dynamic_globals:
            write(self._folders()[0] / self._file(sig, data.codegen), dumps(data._reduce()))

    def enable(self) -> None:
        """Always enabled."""

    def disable(self) -> None:
        """Always enabled."""

    def flush(self) -> None:
        """What is kept stays right."""
