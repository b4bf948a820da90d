"""How long access lasts, as a bank's card says it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from obdesk.gui.connections.present import consent_of
from tests.gui.household import ENGLISH, NOW


@pytest.mark.parametrize(
    ("left", "text", "token"),
    [
        (timedelta(days=152), "152 days left, to Sunday 25 Apr", "accent"),
        (timedelta(days=9), "9 days left, to Thursday 3 Dec", "warning"),
        (timedelta(days=1), "1 day left, to Wednesday 25 Nov", "warning"),
        (timedelta(hours=1), "ends today", "warning"),
        (-timedelta(hours=1), "ended today", "warning"),
        (-timedelta(days=3), "ended Saturday 21 Nov", "warning"),
    ],
)
def test_a_consent_in_words(left: timedelta, text: str, token: str) -> None:
    consent = consent_of(NOW + left, NOW, ENGLISH)

    assert (consent.text, consent.token) == (text, token)
    assert 0 <= consent.used <= 1


def test_a_consent_without_an_end_says_so() -> None:
    assert consent_of(None, NOW, ENGLISH).text == "no end date given"
