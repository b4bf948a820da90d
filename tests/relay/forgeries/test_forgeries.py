"""A few thousand forgeries; `python -m tests.relay.forgeries` sends a million."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.relay.forgeries import campaign
from tests.relay.forgeries.forger import KINDS

if TYPE_CHECKING:
    import pytest


def test_F25_of_thousands_of_forgeries_none_is_taken() -> None:
    found = campaign.share(1_300, "ordinary")

    assert found.complaints == []
    assert {each.partition(" ")[0] for each in found.answers} == {kind.__name__ for kind in KINDS}


def test_a_campaign_notices_a_relay_that_takes_a_forgery(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("obdesk.relay.server.signature.hmac.compare_digest", lambda *_: True)

    assert campaign.share(50, "ordinary").complaints
