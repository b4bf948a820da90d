"""Where pip comes from: the environment itself, or, on a Debian without python3-venv, elsewhere.

Debian splits ensurepip out of Python, so `python3 -m venv` fails there. The environment is then
made without pip, and a pip found on the machine installs into it from outside.
"""

from __future__ import annotations

import importlib.util
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from bootstrapper import system
from bootstrapper.report import Problem, say

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Command = tuple[str, ...]

# Debian keeps pip's own wheel here for virtualenv; a wheel of pip can be run as it is.
_WHEEL_FOLDERS = (Path("/usr/share/python-wheels"), Path("/usr/share/python-wheels/ensurepip"))


def has_ensurepip() -> bool:
    """Tell whether this Python can put pip into a new environment by itself."""
    return importlib.util.find_spec("ensurepip") is not None


def works(command: Command) -> bool:
    """Tell whether a command answers when asked for its version."""
    try:
        done = subprocess.run([*command, "--version"], capture_output=True, check=False)
    except OSError:
        return False
    return done.returncode == 0


def _candidates(environment_python: Path) -> Iterator[Command]:
    target = ("--python", str(environment_python))
    if importlib.util.find_spec("pip") is not None:
        yield (sys.executable, "-m", "pip", *target)
    for folder in _WHEEL_FOLDERS:
        for wheel in sorted(folder.glob("pip-*.whl"), reverse=True):
            yield (str(environment_python), str(wheel / "pip"))
    for name in ("pip3", "pip"):
        if (program := shutil.which(name)) is not None:
            yield (program, *target)


def outside_pip(environment_python: Path, answers: Callable[[Command], bool] = works) -> Command | None:
    """Find a pip on this machine that installs into the given environment, or nothing."""
    return next((command for command in _candidates(environment_python) if answers(command)), None)


def debian_venv_package() -> str:
    """Name the Debian package that completes this very Python."""
    return f"python{sys.version_info.major}.{sys.version_info.minor}-venv"


def obtain(environment_python: Path) -> Command:
    """Give the pip for an environment that was made without one; raises Problem where there is none."""
    command = outside_pip(environment_python)
    if command is not None:
        say("this Python has no ensurepip: using the pip found on this machine")
        return command
    package = debian_venv_package()
    if system.may_install():
        system.apt_install([(package, "python3-venv")])
        # A fresh process: this one has already looked for the module and remembers the answer.
        subprocess.run(
            [str(environment_python), "-m", "ensurepip", "--upgrade"], capture_output=True, check=False
        )
        inside = (str(environment_python), "-m", "pip")
        if works(inside):
            return inside
    raise Problem(
        "this Python cannot make environments",
        cause="it has neither ensurepip nor pip, as on Debian and Ubuntu without python3-venv.",
        remedy=f"sudo apt-get install {package}   (or python3-venv), then run this again",
    )
