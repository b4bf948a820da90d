"""Run pip over a hash-locked requirements file, with progress, and say in words why it failed."""

from __future__ import annotations

import os
import re
import subprocess
from collections import deque
from typing import TYPE_CHECKING

from bootstrapper.report import Problem, Progress

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_STRICT = ("--require-hashes", "--only-binary=:all:", "--no-deps")
_QUIET = ("--no-input", "--disable-pip-version-check", "--progress-bar", "off")
_LOCKED_NAME = re.compile(r"^[A-Za-z0-9]", re.MULTILINE)
_DOWNLOAD = re.compile(r"^Downloading (?:\S*/)?(?P<file>[^/\s]+) \((?P<size>[\d.]+) MB\)")
_LARGE_MB = 10

# Settings that would send the packages anywhere but into the new environment.
_MISLEADING = ("PIP_TARGET", "PIP_PREFIX", "PIP_USER", "PIP_REQUIRE_VIRTUALENV", "PYTHONHOME", "PYTHONPATH")

_NO_SPACE = re.compile(r"No space left on device|Errno 28")
_READ_ONLY = re.compile(r"Read-only file system|Permission denied")
_WRONG_HASH = re.compile(r"DO NOT MATCH THE HASHES")
_NO_NETWORK = re.compile(
    r"NewConnectionError|NameResolutionError|ConnectTimeout|ReadTimeout|ProxyError|SSLError"
    r"|name resolution|Network is unreachable|Connection (?:refused|reset|broken|aborted)|getaddrinfo"
    r"|CERTIFICATE_VERIFY_FAILED"
)
_NO_WHEEL = re.compile(r"No matching distribution|Could not find a version")


def explain(output: str) -> Problem:
    """Turn what pip printed while failing into a problem with a cause and a way out."""
    if _NO_SPACE.search(output):
        return no_space("the disk filled up during the installation.")
    if _READ_ONLY.search(output):
        return Problem(
            "the environment could not be written",
            cause="the system refused a write while packages were installed.",
            remedy="check that you own this folder, or set OBDESK_ENVIRONMENTS to a folder of yours",
        )
    if _WRONG_HASH.search(output):
        return Problem(
            "a downloaded package is not the one that was locked",
            cause="its checksum differs: a broken download, a proxy that rewrites files, or tampering.",
            remedy="run the command again on another network; nothing of it was installed",
        )
    if _NO_NETWORK.search(output):
        return Problem(
            "no connection to the package registry",
            cause="the packages could not be downloaded.",
            remedy="check the network (and pip's proxy and index settings), then run the command again",
        )
    last_lines = "; ".join(line for line in output.splitlines() if line.strip())[-400:]
    if _NO_WHEEL.search(output):
        return Problem(
            "a package is not available for this machine",
            cause=f"pip found no ready-made file of it: {last_lines}",
            remedy="use CPython 3.11 to 3.14 on 64-bit Linux with glibc 2.34 (on ARM 2.39), "
            "macOS 14 on Apple silicon, or 64-bit Windows",
        )
    return Problem(
        "the packages could not be installed",
        cause=f"pip said: {last_lines}",
        remedy="mend what it names and run the command again; it starts afresh",
    )


def no_space(cause: str) -> Problem:
    """Describe a full disk."""
    return Problem(
        "not enough disk space",
        cause=cause,
        remedy="free some space, or set OBDESK_ENVIRONMENTS to a folder on another disk, and run it again",
    )


def pip_environment(inherited: Mapping[str, str]) -> dict[str, str]:
    """Leave out of pip's surroundings what would misdirect it; the registry stays the person's choice."""
    return {name: text for name, text in inherited.items() if name not in _MISLEADING}


def locked_names(lock: Path) -> int:
    """Count the entries of a lock; some of them are for other systems."""
    return len(_LOCKED_NAME.findall(lock.read_text("utf-8")))


def install(pip: Sequence[str], lock: Path) -> None:
    """Install everything the lock names; raises Problem, and leaves the rest to the caller's stamp."""
    command = [*pip, "install", *_STRICT, *_QUIET, "-r", str(lock)]
    progress = Progress("packages", locked_names(lock))
    last_lines: deque[str] = deque(maxlen=40)
    with subprocess.Popen(
        command,
        env=pip_environment(os.environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            last_lines.append(line.rstrip())
            _show(line.strip(), progress)
    progress.finish()
    if process.returncode != 0:
        raise explain("\n".join(last_lines))


def _show(line: str, progress: Progress) -> None:
    """Pick out of pip's lines those that tell a person how far it is."""
    if line.startswith(("Collecting ", "Processing ", "Requirement already", "Ignoring ")):
        progress.advance(line.split(" (", 1)[0])
    elif (download := _DOWNLOAD.match(line)) and float(download["size"]) > _LARGE_MB:
        progress.show(f"downloading {download['file']}, {download['size']} MB", always=True)
    elif line.startswith("Installing collected packages"):
        progress.show("unpacking, this takes a moment", always=True)
