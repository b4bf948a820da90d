"""The environments in .venv: made once per interpreter and lock, found again in milliseconds.

Its folder carries the fingerprint of all it was made from, so a changed lock makes a new one beside
the old and a failure never harms the one that works. A stamp inside says that an installation came
to its end; without it the folder is debris of an interrupted run and is made again.
"""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
import sys
from contextlib import contextmanager
from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrapper import pip_source
from bootstrapper.install import install, no_space
from bootstrapper.report import Problem, say

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).resolve().parents[2]

# Raised when the way of making an environment changes, so that old ones are not taken for new.
_RECIPE = 1


class Extent(Enum):
    """How much an environment holds: what the app needs, or also what its tests and checks need.

    A relay has one of its own: a server needs none of what a window is made of.
    """

    RUN = "requirements.txt"
    TEST = "requirements-test.txt"
    RELAY = "requirements-relay.txt"

    @property
    def lock(self) -> Path:
        """The hash-locked requirements of this extent."""
        return ROOT / "packaging" / self.value


# What lies in one folder: the tests' packages are added to the app's.
_TOGETHER = {
    Extent.RUN: (Extent.RUN, Extent.TEST),
    Extent.TEST: (Extent.RUN, Extent.TEST),
    Extent.RELAY: (Extent.RELAY,),
}

# PySide6 with QtWebEngine is 700 MB unpacked; pip also keeps what it downloads until it is done.
SPACE_NEEDED_MB = {Extent.RUN: 1500, Extent.TEST: 1500, Extent.RELAY: 200}
_SIZE_MB = {Extent.RUN: 800, Extent.TEST: 800, Extent.RELAY: 80}


def environments_folder() -> Path:
    """Name the folder that holds the environments: .venv, or what OBDESK_ENVIRONMENTS names."""
    chosen = os.environ.get("OBDESK_ENVIRONMENTS")
    return Path(chosen).expanduser().resolve() if chosen else ROOT / ".venv"


def _kind(extent: Extent) -> str:
    """Name what an environment's folder begins with: whose it is, and for which interpreter."""
    whose = "relay-" if extent is Extent.RELAY else ""
    interpreter = f"cp{sys.version_info.major}{sys.version_info.minor}"
    return f"{whose}{interpreter}-{sys.platform}-{platform.machine().lower()}"


def folder(extent: Extent) -> Path:
    """Name the environment's folder for this interpreter and these locks, whether it exists or not."""
    digest = hashlib.sha256(f"{_RECIPE} {sys.version} {sys.base_prefix} {ROOT}".encode())
    for each in _TOGETHER[extent]:
        digest.update(each.lock.read_bytes())
    return environments_folder() / f"{_kind(extent)}-{digest.hexdigest()[:8]}"


def python_in(environment: Path) -> Path:
    """Name the environment's interpreter."""
    return environment / "Scripts" / "python.exe" if os.name == "nt" else environment / "bin" / "python"


def _stamp(environment: Path, extent: Extent) -> Path:
    return environment / f"complete-{extent.name.lower()}"


def is_complete(environment: Path, extent: Extent) -> bool:
    """Tell whether an installation of this extent came to its end here."""
    return _stamp(environment, extent).exists() and python_in(environment).exists()


@contextmanager
def _alone(folder_of_all: Path) -> Iterator[None]:
    """Let one bootstrap at a time install; another waits and says so."""
    with (folder_of_all / "lock").open("a+") as handle:
        if sys.platform == "win32":
            import msvcrt

            while True:
                handle.seek(0)
                try:
                    msvcrt.locking(handle.fileno(), msvcrt.LK_LOCK, 1)
                    break
                except OSError:  # it gives up after ten seconds
                    say("another bootstrap is installing; waiting for it")
        else:
            import fcntl

            try:
                fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                say("another bootstrap is installing; waiting for it")
                fcntl.flock(handle, fcntl.LOCK_EX)
        yield


def _make(environment: Path) -> pip_source.Command:
    """Make an empty environment and say how to call its pip."""
    shutil.rmtree(environment, ignore_errors=True)
    with_pip = pip_source.has_ensurepip()
    command = [sys.executable, "-m", "venv", *(() if with_pip else ("--without-pip",)), str(environment)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    python = python_in(environment)
    if done.returncode == 0:
        return (str(python), "-m", "pip") if with_pip else pip_source.obtain(python)
    if not with_pip:
        return pip_source.obtain(python)
    raise Problem(
        "the environment could not be made",
        cause=f"python -m venv ended with {done.returncode}: {(done.stdout + done.stderr).strip()[-300:]}",
        remedy=f"delete {environment} and run the command again",
    )


def _check_space(folder_of_all: Path, extent: Extent) -> None:
    free_mb, needed_mb = shutil.disk_usage(folder_of_all).free // 1_000_000, SPACE_NEEDED_MB[extent]
    if free_mb < needed_mb:
        raise no_space(f"{folder_of_all} has {free_mb} MB left; installing takes {needed_mb} MB.")


def _remove_older(keep: Path, extent: Extent) -> None:
    """Delete the environments that earlier locks left for the same interpreter."""
    for other in keep.parent.glob(f"{_kind(extent)}-*"):
        if other != keep:
            shutil.rmtree(other, ignore_errors=True)


def _make_folder(folder_of_all: Path) -> None:
    try:
        folder_of_all.mkdir(parents=True, exist_ok=True)
        (folder_of_all / "lock").touch()
    except OSError as error:
        raise Problem(
            "the environment has no place",
            cause=f"{folder_of_all} cannot be written: {error.strerror}.",
            remedy="set OBDESK_ENVIRONMENTS to a folder of yours and run the command again",
        ) from error


def _fill(environment: Path, extent: Extent) -> None:
    python = python_in(environment)
    first = _TOGETHER[extent][0]
    if is_complete(environment, first):
        say("adding what the tests need")
        inside = (str(python), "-m", "pip")
        pip = inside if pip_source.works(inside) else pip_source.obtain(python)
    else:
        say(f"making an environment in {environment} (once; about {_SIZE_MB[extent]} MB)")
        pip = _make(environment)
    install(pip, extent.lock)
    # The tree itself is imported from where it lies; nothing has to be built or installed again.
    site_packages = subprocess.run(
        [str(python), "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()
    (Path(site_packages) / "obdesk-tree.pth").write_text(f"{ROOT}\n", "utf-8")
    _stamp(environment, first).touch()
    _stamp(environment, extent).touch()
    _remove_older(environment, extent)
    say("the environment is ready")


def ensure(extent: Extent) -> Path:
    """Give the interpreter of a complete environment, making it first if need be; raises Problem."""
    environment = folder(extent)
    if not is_complete(environment, extent):
        _make_folder(environment.parent)
        with _alone(environment.parent):
            if not is_complete(environment, extent):
                _check_space(environment.parent, extent)
                _fill(environment, extent)
    return python_in(environment)
