"""Write the hash-locked requirements anew from pyproject.toml, or check that they still follow from it.

One lock serves Linux, macOS and Windows and every supported Python. It names no registry: pip asks
the one the person configured, and the hashes hold whichever answers.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrapper.environment import ROOT, Extent
from bootstrapper.report import Problem, say

if TYPE_CHECKING:
    from collections.abc import Sequence

# A release that was published in error or in malice is usually withdrawn within days.
COOLDOWN = "7 days"

# uv's names for the machines on which every locked package must have a ready-made file.
PLATFORMS = (
    "x86_64-manylinux_2_34",
    "aarch64-manylinux_2_39",
    "aarch64-apple-darwin",
    "x86_64-pc-windows-msvc",
)
OLDEST_MACOS = "14.0"
PYTHONS = ("3.11", "3.12", "3.13", "3.14")

_PIN = re.compile(r"^([A-Za-z0-9][^\\\n]*?)\s*\\?$", re.MULTILINE)
_EXTRAS = ("--extra", "desktop", "--extra", "relay")


@dataclass(frozen=True, slots=True)
class Lock:
    """One file of requirements: what it holds, and with which other one its versions agree."""

    name: str
    wants: tuple[str, ...]
    agrees_with: str | None

    @property
    def path(self) -> Path:
        """Where it is kept."""
        return ROOT / "packaging" / self.name


LOCKS = (
    Lock(Extent.RUN.value, _EXTRAS, None),
    Lock(Extent.TEST.value, (*_EXTRAS, "--group", "dev"), Extent.RUN.value),
    # A server installs no window; packaging/relay/Containerfile is made from this.
    Lock(Extent.RELAY.value, ("--extra", "relay"), Extent.RUN.value),
)
"""In the order in which they are made."""


def pins(lock: str) -> frozenset[str]:
    """Name every pinned version with its markers; hashes are left out, a release can gain files."""
    return frozenset(_PIN.findall(lock))


def compile_command(python: Path, lock: Lock, folder: Path) -> list[str]:
    """Give the command that resolves a lock into a folder, where the one it agrees with is already."""
    constraints = () if lock.agrees_with is None else ("--constraints", str(folder / lock.agrees_with))
    return [
        *(str(python), "-m", "uv", "pip", "compile", "pyproject.toml", *lock.wants),
        *("--no-config", "--universal", "--python-version", "3.11", "--only-binary", ":all:"),
        *("--generate-hashes", "--no-emit-index-url", "--exclude-newer", COOLDOWN, "--quiet"),
        *("--custom-compile-command", "python3 packaging/bootstrap.py lock"),
        *constraints,
        *("--output-file", str(folder / lock.name)),
    ]


def _compile(command: Sequence[str]) -> None:
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Problem(
            "the lock could not be made",
            cause=(done.stderr or done.stdout).strip()[-600:],
            remedy="mend the dependency that is named in pyproject.toml, or the network, and run it again",
        )


def _compile_all(python: Path, folder: Path, extra: Sequence[str]) -> None:
    """Resolve what the app needs first; what tests and the relay need then agrees with it."""
    for lock in LOCKS:
        _compile([*compile_command(python, lock, folder), *extra])


def write(python: Path, extra: Sequence[str]) -> None:
    """Write all locks; `--upgrade` among the extra arguments moves every version forward."""
    _compile_all(python, ROOT / "packaging", extra)
    for lock in LOCKS:
        say(f"wrote packaging/{lock.name}: {len(pins(lock.path.read_text('utf-8')))} packages")


def _check_follows(python: Path) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        folder = Path(scratch)
        for lock in LOCKS:
            shutil.copyfile(lock.path, folder / lock.name)
        _compile_all(python, folder, ())
        for lock in LOCKS:
            wanted, locked = (pins(path.read_text("utf-8")) for path in (folder / lock.name, lock.path))
            if wanted != locked:
                raise Problem(
                    f"packaging/{lock.name} does not follow from pyproject.toml",
                    cause=f"these differ: {', '.join(sorted(wanted ^ locked))}",
                    remedy="python3 packaging/bootstrap.py lock",
                )
    say("the locks follow from pyproject.toml")


def _check_installable(python: Path, platform: str, version: str) -> None:
    with tempfile.TemporaryDirectory() as scratch:
        command = [
            *(str(python), "-m", "uv", "pip", "install", "--dry-run", "--no-config", "--require-hashes"),
            *(
                "--no-deps",
                "--only-binary",
                ":all:",
                "--python-platform",
                platform,
                "--python-version",
                version,
            ),
            *("--target", scratch, "--requirement", str(Extent.TEST.lock)),
        ]
        surroundings = {**os.environ, "MACOSX_DEPLOYMENT_TARGET": OLDEST_MACOS}
        done = subprocess.run(command, env=surroundings, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise Problem(
            f"the lock cannot be installed with Python {version} on {platform}",
            cause=done.stderr.strip()[-600:],
            remedy="choose a version of the package that has a file for it",
        )


def check(python: Path) -> None:
    """Raise Problem unless the locks are what pyproject.toml asks for, and serve every machine."""
    _check_follows(python)
    # The tests' lock holds what the others hold, so it answers for all.
    for platform in PLATFORMS:
        for version in PYTHONS:
            _check_installable(python, platform, version)
    say(f"every package has a file for {len(PLATFORMS)} platforms and Python {PYTHONS[0]} to {PYTHONS[-1]}")
