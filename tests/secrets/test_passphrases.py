"""Where the passphrase comes from, and what it costs to guess it."""

from __future__ import annotations

import os
import subprocess
import sys
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from obdesk.secrets.errors import (
    PassphraseFileRefused,
    PassphraseFileUnreadable,
    PassphraseNeeded,
)
from obdesk.secrets.kdf import Argon2Cost, derive_key
from obdesk.secrets.passphrases import find_passphrase

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def passphrase_file(tmp_path: Path) -> Path:
    path = tmp_path / "passphrase"
    path.touch(mode=0o600)
    return path


def environ(path: Path) -> dict[str, str]:
    return {"OBDESK_PASSPHRASE_FILE": str(path)}


def never_asked() -> str:
    pytest.fail("nobody should be asked")


@pytest.mark.parametrize("content", ["correct horse", "correct horse\n", "correct horse\r\n"])
def test_a_file_goes_before_the_question_and_its_last_newline_does_not_count(
    passphrase_file: Path, content: str
) -> None:
    passphrase_file.write_bytes(content.encode())
    assert find_passphrase(environ(passphrase_file), never_asked).secret_bytes() == b"correct horse"


def test_spaces_and_a_second_newline_do_count(passphrase_file: Path) -> None:
    passphrase_file.write_bytes(b" two lines\n\n")
    assert find_passphrase(environ(passphrase_file), None).secret_bytes() == b" two lines\n"


def test_without_a_file_the_person_is_asked() -> None:
    assert find_passphrase({}, lambda: "typed").secret_bytes() == b"typed"
    with pytest.raises(PassphraseNeeded):
        find_passphrase({"OBDESK_PASSPHRASE_FILE": ""}, None)


def test_a_file_others_can_read_is_refused(passphrase_file: Path) -> None:
    passphrase_file.write_text("correct horse")
    passphrase_file.chmod(0o640)
    with pytest.raises(PassphraseFileRefused) as caught:
        find_passphrase(environ(passphrase_file), never_asked)
    assert "Other users" in caught.value.cause


def test_a_link_or_a_pipe_is_refused(passphrase_file: Path, tmp_path: Path) -> None:
    link, pipe = tmp_path / "link", tmp_path / "pipe"
    link.symlink_to(passphrase_file)
    os.mkfifo(pipe, 0o600)
    for path in (link, pipe):
        with pytest.raises(PassphraseFileRefused):
            find_passphrase(environ(path), never_asked)


@pytest.mark.parametrize("content", [b"", b"\n", b"planted \xff secret"])
def test_an_empty_or_garbled_file_says_so_without_quoting_it(passphrase_file: Path, content: bytes) -> None:
    passphrase_file.write_bytes(content)
    with pytest.raises(PassphraseFileUnreadable) as caught:
        find_passphrase(environ(passphrase_file), never_asked)
    assert "planted" not in f"{caught.value}{caught.value.cause}{caught.value.__cause__}"
    assert caught.value.__suppress_context__ or caught.value.__context__ is None


def test_a_missing_file_says_so(tmp_path: Path) -> None:
    with pytest.raises(PassphraseFileUnreadable):
        find_passphrase(environ(tmp_path / "missing"), never_asked)


def test_the_floor_and_the_ceiling_of_a_guess() -> None:
    Argon2Cost(memory_kib=19 * 1024, passes=2, lanes=1)
    for memory_kib, passes, lanes in [(19 * 1024 - 1, 2, 1), (19 * 1024, 1, 1), (19 * 1024, 2, 0)]:
        with pytest.raises(ValueError, match="Argon2id"):
            Argon2Cost(memory_kib=memory_kib, passes=passes, lanes=lanes)
    for memory_kib, passes, lanes in [(5 << 20, 2, 1), (19 * 1024, 65, 1), (19 * 1024, 2, 17)]:
        with pytest.raises(ValueError, match="Argon2id"):
            Argon2Cost(memory_kib=memory_kib, passes=passes, lanes=lanes)


def test_the_key_is_argon2id_as_the_standard_has_it() -> None:
    """Two libraries that share no code agree."""
    cost = Argon2Cost(memory_kib=20 * 1024, passes=3, lanes=2)
    other = Argon2id(
        salt=b"sixteen bytes ok",
        length=32,
        iterations=cost.passes,
        lanes=cost.lanes,
        memory_cost=cost.memory_kib,
    )
    assert derive_key(b"correct horse", b"sixteen bytes ok", cost) == other.derive(b"correct horse")


@pytest.mark.skipif(sys.platform != "linux", reason="limits the memory of a process")
def test_a_machine_short_of_memory_says_so() -> None:
    program = dedent("""
        import resource
        from obdesk.secrets.errors import NotEnoughMemory
        from obdesk.secrets.kdf import Argon2Cost, derive_key
        resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
        try:
            derive_key(b"correct", b"sixteen bytes ok", Argon2Cost(memory_kib=2 << 20, passes=2, lanes=1))
        except NotEnoughMemory as error:
            print(error.cause)
    """)
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert "2048 MiB" in answer.stdout
