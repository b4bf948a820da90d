"""Process hardening, seen by another process of the same user."""

from __future__ import annotations

import os
import subprocess
import sys
from contextlib import contextmanager
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")

NOBODY = 65534 if os.geteuid() == 0 else os.geteuid()

# Changing the user makes a process private by itself, which would hide what hardening does.
PROGRAM = dedent(f"""
    import ctypes, os, resource, sys
    from obdesk.secrets.hardening import process_hardening
    if os.geteuid() != {NOBODY}:
        os.setresuid({NOBODY}, {NOBODY}, {NOBODY})
        ctypes.CDLL(None).prctl(4, 1, 0, 0, 0)
    if sys.argv[1] == "hardened":
        print(process_hardening(), flush=True)
    print(resource.getrlimit(resource.RLIMIT_CORE), oct(os.umask(0)), flush=True)
    sys.stdin.read()
""")


@contextmanager
def running(how: str) -> Iterator[subprocess.Popen[str]]:
    with subprocess.Popen(
        [sys.executable, "-c", PROGRAM, how], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield process
        assert process.stdin is not None
        process.stdin.close()


def line(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline()


def can_look_into(process: subprocess.Popen[str]) -> bool:
    looking = subprocess.run(
        ["cat", f"/proc/{process.pid}/environ"],
        user=NOBODY if os.geteuid() == 0 else None,
        capture_output=True,
        check=False,
    )
    return looking.returncode == 0


def test_another_process_of_the_user_cannot_look_in_and_no_core_is_written() -> None:
    with running("hardened") as process:
        assert line(process) == "Hardening(no_core_files=True, memory_private=True)\n"
        assert line(process) == "(0, 0) 0o77\n"
        assert not can_look_into(process)


def test_without_hardening_it_could() -> None:
    """Keep the test above honest."""
    with running("bare") as process:
        assert line(process)
        assert can_look_into(process)
