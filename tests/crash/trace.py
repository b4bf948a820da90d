"""From the lines of strace to what was done to the files of one folder, in order."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias, TypeGuard

from tests.crash.workload import ACKS

if TYPE_CHECKING:
    from collections.abc import Iterator


@dataclass(frozen=True, slots=True)
class Opened:
    """A file was opened; it was made if it was not there."""

    path: str
    makes: bool
    empties: bool


@dataclass(frozen=True, slots=True)
class Written:
    """Bytes were written at an offset; None appends."""

    path: str
    offset: int | None
    data: bytes


@dataclass(frozen=True, slots=True)
class Cut:
    """A file got another size."""

    path: str
    size: int


@dataclass(frozen=True, slots=True)
class Synced:
    """All of a file, or the names in a folder, reached the disk."""

    path: str


@dataclass(frozen=True, slots=True)
class Renamed:
    """A file got another name, and replaced what had it."""

    old: str
    new: str


@dataclass(frozen=True, slots=True)
class Removed:
    """A name was removed."""

    path: str


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The program said that a commit is safe; `digest` tells what it made of the ledger."""

    number: int
    digest: str


@dataclass(frozen=True, slots=True)
class Other:
    """Another call that may change files: nothing can be concluded from a trace that holds one."""

    call: str
    paths: tuple[str, ...]


Act: TypeAlias = Opened | Written | Cut | Synced | Renamed | Removed | Acknowledged

CALLS = "openat,open,creat,write,pwrite64,writev,pwritev,pwritev2,fsync,fdatasync,sync_file_range,ftruncate,"
CALLS += "truncate,fallocate,rename,renameat,renameat2,unlink,unlinkat,link,linkat,copy_file_range,sendfile"
_LINE = re.compile(r"(\d+) +(.*)")
_CALL = re.compile(r"(\w+)\((.*)\) += (-?\d+)(?:<(.*?)>)?(?: .*)?", re.DOTALL)
_UNFINISHED = " <unfinished ...>"
_RESUMED = re.compile(r"<\.\.\. \w+ resumed>(.*)")
_FILE = re.compile(r"\d+<([^>]*)>")
_TEXT = re.compile(r'"((?:\\x[0-9a-f]{2})*)"')


def may_trace() -> bool:
    """Tell whether strace is here and allowed to look."""
    strace = shutil.which("strace")
    return (
        strace is not None and subprocess.run([strace, "-o", os.devnull, "true"], check=False).returncode == 0
    )


def record(folder: Path, module: str, *words: str) -> Path:
    """Run a module under strace, with `folder`/profile and some words; return the trace."""
    strace = shutil.which("strace")
    assert strace is not None
    trace = folder / "trace"
    watched = folder / "profile"
    watched.mkdir(exist_ok=True)
    command = [strace, "-f", "--seccomp-bpf", "-y", "-xx", "-s", "20000000", "-o", str(trace)]
    command += ["-e", f"trace={CALLS}", "-e", "signal=none"]
    command += [sys.executable, "-m", module, str(watched), *words]
    root = Path(__file__).parents[2]
    subprocess.run(command, cwd=root, check=True, env={**os.environ, "PYTHONPATH": str(root)}, timeout=300)
    return trace


def acts_of(trace: Path, folder: Path) -> list[Act]:
    """Return what a trace says of the files in `folder`, except shared memory, which no power loss keeps."""
    acts: list[Act] = []
    for call, arguments, told in _calls(trace):
        act = _act(call, arguments, told)
        if act is not None and _is_within(act, str(folder)):
            acts.append(act)
    return acts


def _calls(trace: Path) -> Iterator[tuple[str, str, str]]:
    """Yield name, arguments and returned path of each call that succeeded, when it ended."""
    waiting: dict[str, str] = {}
    with trace.open() as lines:
        for line in lines:
            found = _LINE.match(line)
            assert found is not None, line[:200]
            process, text = found[1], found[2]
            if text.endswith(_UNFINISHED):
                waiting[process] = text.removesuffix(_UNFINISHED)
                continue
            if resumed := _RESUMED.match(text):
                text = waiting.pop(process) + resumed[1]
            call = _CALL.fullmatch(text)
            if call and int(call[3]) >= 0:
                yield call[1], call[2], call[4] or ""


def _act(call: str, arguments: str, told: str) -> Act | Other | None:
    file = _FILE.match(arguments)
    path = _plain(file[1]) if file else ""
    texts = _TEXT.findall(arguments)
    match call:
        case "openat":
            opened = _plain(told)
            return Opened(opened, makes="O_CREAT" in arguments, empties="O_TRUNC" in arguments)
        case "write":
            return _written(path, _bytes(texts[0])) if texts else None
        case "pwrite64":
            return Written(path, int(arguments.rsplit(", ", 1)[1]), _bytes(texts[0]))
        case "fsync" | "fdatasync":
            return Synced(path)
        case "ftruncate":
            return Cut(path, int(arguments.rsplit(", ", 1)[1]))
        case "rename":
            return Renamed(*(_bytes(text).decode() for text in texts))
        case "unlink":
            return Removed(_bytes(texts[0]).decode())
        case _:
            return Other(call, _paths(arguments))


def _written(path: str, data: bytes) -> Act:
    if not path.endswith(f"/{ACKS}"):
        return Written(path, None, data)
    number, digest = data.decode().split()
    return Acknowledged(int(number), digest)


def _is_within(act: Act | Other, folder: str) -> TypeGuard[Act]:
    if isinstance(act, Acknowledged):
        return True
    if isinstance(act, Other):
        touched = [path for path in act.paths if path.startswith(folder) and not path.endswith("-shm")]
        assert not touched, f"the trace holds a call that is not understood: {act.call} of {touched}"
        return False
    path = act.old if isinstance(act, Renamed) else act.path
    return path.startswith(folder) and not path.endswith(("-shm", f"/{ACKS}"))


def _paths(arguments: str) -> tuple[str, ...]:
    named = [_plain(path) for path in re.findall(r"<([^>]*)>", arguments)]
    return (*named, *(_bytes(text).decode("utf-8", "replace") for text in _TEXT.findall(arguments)))


def _plain(path: str) -> str:
    """Return a path that strace wrote, in hexadecimal or as it is."""
    return _bytes(path).decode() if path.startswith("\\x") else path


def _bytes(text: str) -> bytes:
    return bytes.fromhex(text.replace("\\x", ""))
