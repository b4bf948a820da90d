"""The alert rules and the examples for Alertmanager, judged by the programs that read them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.arch.tree import ROOT
from tests.relay.watching.exported import PLACE, asked, of_relay, tool, unknown_words

if TYPE_CHECKING:
    from pathlib import Path

RULES = PLACE / "prometheus" / "alerts.yml"
TESTS = sorted((PLACE / "prometheus").glob("*.test.yml"))
RECEIVERS = sorted((PLACE / "alertmanager").iterdir())


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load(RULES.read_text("utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def test_prometheus_reads_the_rules_and_the_example() -> None:
    said = tool("promtool", "check", "rules", RULES, package="prometheus")
    assert f"{len(rules())} rules found" in said

    tool("promtool", "check", "config", PLACE / "prometheus" / "prometheus.yml", package="prometheus")


@pytest.mark.parametrize("path", TESTS, ids=lambda path: path.stem)
def test_each_alert_comes_when_it_should_and_only_then(path: Path) -> None:
    tool("promtool", "test", "rules", path, package="prometheus")


def test_each_alert_is_seen_to_come_and_not_to_come() -> None:
    cases = [case for path in TESTS for case in yaml.safe_load(path.read_text("utf-8"))["tests"]]
    judged = [each for case in cases for each in case["alert_rule_test"]]
    names = {rule["alert"] for rule in rules()}

    assert {each["alertname"] for each in judged if each["exp_alerts"]} == names
    assert {each["alertname"] for each in judged if not each["exp_alerts"]} == names


def test_the_rules_ask_for_what_the_relay_exports() -> None:
    wanted = set().union(*(asked(rule["expr"]) for rule in rules()))

    assert wanted - {"up"} <= of_relay()
    assert "obdesk_relay_deliveries_total" in wanted


def test_the_rules_know_the_relays_words() -> None:
    assert [word for rule in rules() for word in unknown_words(rule["expr"])] == []


def test_a_word_that_the_relay_never_says_is_noticed() -> None:
    assert unknown_words('obdesk_relay_deliveries_total{job="a", reason=~"signature|sgnature"}') == [
        'obdesk_relay_deliveries_total{reason="sgnature"}'
    ]


def test_each_alert_says_what_and_how_bad_and_the_guide_what_to_do() -> None:
    guide = (ROOT / "docs" / "relay.md").read_text("utf-8")
    for rule in rules():
        assert rule["labels"]["severity"] in {"critical", "warning", "info"}
        assert rule["annotations"].keys() == {"summary", "description"}
        assert f"`{rule['alert']}`" in guide, rule["alert"]


@pytest.mark.parametrize("path", RECEIVERS, ids=lambda path: path.stem)
def test_alertmanager_reads_the_examples(path: Path) -> None:
    tool("amtool", "check-config", path, package="prometheus-alertmanager")


@pytest.mark.parametrize("path", RECEIVERS, ids=lambda path: path.stem)
def test_the_examples_hold_no_place_for_a_secret(path: Path) -> None:
    text = path.read_text("utf-8")

    assert re.search(r"^\s*-?\s*(?:api_url|routing_key|credentials)_file: /", text, re.MULTILINE)
    assert not re.search(r"\b(?:api_url|routing_key|service_key|credentials|password|bearer_token):", text)


def test_there_is_an_example_for_slack_for_pagerduty_and_for_any_other() -> None:
    assert [path.stem for path in RECEIVERS] == ["pagerduty", "slack", "webhook"]
