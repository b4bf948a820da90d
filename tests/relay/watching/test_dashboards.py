"""The dashboards ask for what is exported, leave nothing out unsaid, and can be drawn."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from itertools import combinations
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from obdesk.app.metrics import exposed
from obdesk.app.reads import StoreReads
from obdesk.domain.mailbox import MailboxState, MailboxStatus
from obdesk.storage.store import Store
from tests.arch.tree import ROOT
from tests.fakes import FrozenClock
from tests.relay.watching.exported import asked, families, of_relay, tool, unknown_words
from tests.seed import KEY, NOW

if TYPE_CHECKING:
    from pathlib import Path

RELAY = MailboxStatus(
    host="relay.example.org",
    state=MailboxState.CONNECTED,
    since=NOW,
    trouble=None,
    pulled_at=NOW,
    delivered_at=NOW,
    waiting=0,
    parked=0,
    hints=0,
    unreadable=0,
    peers=1,
    bearer_seen_at=None,
)
FOLDER = ROOT / "resources" / "grafana"
BOARDS = sorted(FOLDER.iterdir())
LEFT_OUT = {
    "process_virtual_memory_bytes": "what is reserved and not used says nothing",
}
"""Family: why no dashboard shows it."""


def board(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return found


def expressions(path: Path) -> list[str]:
    """Return all expressions of a dashboard with what Grafana fills in."""
    found = [target["expr"] for panel in board(path)["panels"] for target in panel.get("targets", ())]
    assert found
    return [each.replace("$__rate_interval", "5m").replace("$job", ".+") for each in found]


def used(path: Path) -> set[str]:
    return set().union(*map(asked, expressions(path)))


def test_the_relays_dashboard_shows_each_family_that_the_relay_exports() -> None:
    exported = of_relay() - LEFT_OUT.keys()

    assert used(FOLDER / "relay.json") - {"up"} == exported
    assert len(exported) > 15


@pytest.mark.anyio
async def test_the_desktops_dashboard_shows_each_family_that_the_desktop_exports(tmp_path: Path) -> None:
    store = Store.open(tmp_path / "s.db", KEY)
    try:
        activity = await StoreReads(store, FrozenClock(NOW)).activity(0)
    finally:
        store.close()

    with_relay = replace(activity, relay=RELAY)

    assert used(FOLDER / "desktop.json") == families(exposed(with_relay).decode())


def test_the_relays_dashboard_knows_the_relays_words() -> None:
    assert [word for text in expressions(FOLDER / "relay.json") for word in unknown_words(text)] == []


def test_what_is_left_out_exists() -> None:
    assert LEFT_OUT.keys() <= of_relay()


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_prometheus_reads_every_expression(path: Path, tmp_path: Path) -> None:
    rules = [
        {"record": f"expression:{number}", "expr": text} for number, text in enumerate(expressions(path))
    ]
    file = tmp_path / "rules.yml"
    file.write_text(yaml.safe_dump({"groups": [{"name": "dashboard", "rules": rules}]}))

    said = tool("promtool", "check", "rules", file, package="prometheus")

    assert f"{len(rules)} rules found" in said


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_grafana_can_load_it(path: Path) -> None:
    found = board(path)

    assert found["id"] is None  # another number would take the place of somebody's own dashboard
    assert found["schemaVersion"] >= 36
    assert found["uid"] == f"obdesk-{path.stem}"
    assert {each["name"] for each in found["templating"]["list"]} == {"datasource", "job"}
    numbers = [panel["id"] for panel in found["panels"]]
    assert len(numbers) == len(set(numbers))
    for panel in found["panels"]:
        assert panel["type"] in {"row", "stat", "timeseries", "bargauge"}
        if panel["type"] != "row":
            assert panel["datasource"] == {"type": "prometheus", "uid": "${datasource}"}
            assert panel["description"].endswith(".")
            references = [target["refId"] for target in panel["targets"]]
            assert len(references) == len(set(references))


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_no_two_panels_lie_over_each_other(path: Path) -> None:
    places = [panel["gridPos"] for panel in board(path)["panels"]]

    assert [place for place in places if place["x"] + place["w"] > 24] == []
    for one, other in combinations(places, 2):
        beside = one["x"] + one["w"] <= other["x"] or other["x"] + other["w"] <= one["x"]
        below = one["y"] + one["h"] <= other["y"] or other["y"] + other["h"] <= one["y"]
        assert beside or below, (one, other)


@pytest.mark.parametrize("path", BOARDS, ids=lambda path: path.stem)
def test_every_query_can_be_narrowed_to_one_job(path: Path) -> None:
    for panel in board(path)["panels"]:
        for target in panel.get("targets", ()):
            text = target["expr"]
            selectors = re.findall(r"\b(?:obdesk_\w+|process_\w+|up)\b(\{[^}]*\})?", text)
            assert selectors
            assert all('job=~"$job"' in selector for selector in selectors), text
