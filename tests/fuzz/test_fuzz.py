"""Whatever arrives in place of an answer, the program says what it makes of it and goes on."""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest

from tests.fuzz.mutate import spoilt
from tests.fuzz.targets import read

ANSWERS = 20_000


@pytest.mark.timeout(300)
def test_F07_no_spoilt_answer_raises_or_costs_more_than_it_may() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz", "--count", str(ANSWERS)],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
    )

    assert done.returncode == 0, done.stdout + done.stderr
    told = json.loads(done.stdout)
    assert told["answers"] == ANSWERS
    # Neither all refused nor all kept: the changes are small enough to get past the first look.
    assert told["became"]["kept"] > ANSWERS // 10
    assert told["became"]["refused"] > ANSWERS // 10


def test_the_same_seed_spoils_in_the_same_way() -> None:
    body = b'{"accounts": [{"id": 1, "balance": 1.5, "currency": {"id": "EUR"}}], "total": 1}'

    def some() -> list[bytes]:
        rng = random.Random(7)  # noqa: S311 - chance, not secrets
        return [spoilt(body, [body], rng) for _ in range(50)]

    assert some() == some()
    assert len(set(some())) > 40


DIGITS, DEEP = b"9" * 5_000, 100_000


@pytest.mark.parametrize(
    "rows",
    [
        b'{"id": 1, "id_account": 1, "date": "2026-01-14", "value": ' + DIGITS + b"}",
        b"[" * DEEP + b"]" * DEEP,
        b'{"a":' * DEEP + b"1" + b"}" * DEEP,
        b'{"id": ' + DIGITS + b', "informations": {"x": ' + b"[" * 900 + b"]" * 900 + b"}}",
    ],
    ids=["digits", "lists", "objects", "both"],
)
def test_F07_numbers_without_end_and_depths_without_ground_are_read_or_refused(rows: bytes) -> None:
    assert read("transactions", b'{"transactions": [' + rows + b"]}", {1: 2}) in {"kept", "refused"}
