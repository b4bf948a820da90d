"""A bank that was removed here while the aggregator still has to erase it, as programs and people read it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

from obdesk.cli.documents import pending_deletion_document
from obdesk.cli.matters import say_pending_deletions
from obdesk.domain.erasures import PendingErasure

if TYPE_CHECKING:
    import pytest

LEAVING = PendingErasure(
    4, "powens", "311", "Banque\x1b[31m du Port", datetime(2026, 3, 17, 8, tzinfo=UTC), 2,
    datetime(2026, 3, 17, 9, 30, tzinfo=UTC),
)  # fmt: skip


def test_F34_programs_read_what_is_still_to_be_erased_and_when_it_is_tried() -> None:
    assert pending_deletion_document(LEAVING) == {
        "bank": "Banque\x1b[31m du Port",
        "provider": "powens",
        "provider_id": "311",
        "asked_at": "2026-03-17T08:00:00Z",
        "attempts": 2,
        "next_try_at": "2026-03-17T09:30:00Z",
    }


def test_F34_people_read_it_in_two_lines_that_no_terminal_obeys(capsys: pytest.CaptureFixture[str]) -> None:
    say_pending_deletions([LEAVING])
    told = capsys.readouterr().out
    assert "is removed here; the aggregator still has to erase it." in told
    assert "We try again by ourselves" in told
    assert "\x1b" not in told
