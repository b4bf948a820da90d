"""A profile is a private folder with a safe name."""

from __future__ import annotations

import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from obdesk.app.profile import BadProfileNameError, FolderNotPrivateError, default_data_dir, profile_of


@pytest.mark.parametrize("name", ["default", "a", "A-1_b", "9", "x" * 40])
def test_safe_names(tmp_path: Path, name: str) -> None:
    assert profile_of(tmp_path, name).folder == tmp_path / name


@pytest.mark.parametrize(
    "name", ["", "..", ".", "a/b", "a\\b", "-x", "_x", "x" * 41, "é", "a b", "a\n", "con:", "a.b"]
)
def test_names_that_could_lead_elsewhere_are_refused(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadProfileNameError) as refused:
        profile_of(tmp_path, name)
    assert refused.value.cause
    assert list(tmp_path.iterdir()) == []


def test_the_folder_is_its_owners_alone_even_if_it_was_not(tmp_path: Path) -> None:
    (tmp_path / "default").mkdir(mode=0o755)
    profile = profile_of(tmp_path)
    profile.prepare()
    profile.prepare()
    assert stat.S_IMODE(profile.folder.stat().st_mode) == 0o700
    assert not profile.exists
    assert profile.database.parent == profile.sync_lock.parent == profile.folder


def test_a_folder_that_cannot_be_made_is_explained(tmp_path: Path) -> None:
    (tmp_path / "default").write_text("a file in the way")
    with pytest.raises(FolderNotPrivateError) as refused:
        profile_of(tmp_path).prepare()
    assert "--data-dir" in refused.value.next_step


def test_the_default_place_is_the_persons_own() -> None:
    assert default_data_dir().is_relative_to(Path.home())
    assert profile_of(None).folder.parent == default_data_dir()


OPEN_AND_TELL = """
import ctypes, os, resource, sys
from pathlib import Path
from obdesk.app.bootstrap import open_profile
from obdesk.app.profile import profile_of

open_profile(profile_of(Path(sys.argv[1]))).close()
print(ctypes.CDLL(None).prctl(3, 0, 0, 0, 0), resource.getrlimit(resource.RLIMIT_CORE)[0], oct(os.umask(0)))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="the calls are Linux's")
def test_a_program_that_holds_the_key_keeps_its_memory_to_itself(tmp_path: Path) -> None:
    words = tmp_path / "words"
    words.write_text("correct horse battery staple\n")
    words.chmod(0o600)
    told = subprocess.run(
        [sys.executable, "-c", OPEN_AND_TELL, str(tmp_path)],
        env={**os.environ, "OBDESK_PASSPHRASE_FILE": str(words)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.split() == ["0", "0", "0o77"], "readable memory, core files, or files for others"
