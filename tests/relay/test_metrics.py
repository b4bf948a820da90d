"""What a monitor is told of the relay: counts and times, in words of closed sets, from the start."""

from __future__ import annotations

import sys

import pytest
from prometheus_client.parser import text_string_to_metric_families

from obdesk.relay.server.metrics import (
    CONTENT_TYPE,
    BrokerCall,
    BrokerOutcome,
    Fate,
    Metrics,
    Operation,
    Route,
)
from obdesk.relay.server.store import Figures

Samples = dict[tuple[str, ...], float]


def samples(metrics: Metrics) -> Samples:
    """Return every sample by its name and the words of its labels, as the library's own parser reads them."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
    }


def test_each_fate_of_a_delivery_is_counted_by_outcome_and_reason() -> None:
    metrics = Metrics()
    for fate in Fate:
        metrics.delivered(fate)
    metrics.delivered(Fate.SIGNATURE)

    found = samples(metrics)
    assert found["obdesk_relay_deliveries_total", "kept", ""] == 1
    assert found["obdesk_relay_deliveries_total", "refused", "signature"] == 2
    assert found["obdesk_relay_deliveries_total", "failed", "store_down"] == 1
    assert len([name for name in found if name[0] == "obdesk_relay_deliveries_total"]) == len(Fate)


def test_a_series_is_there_before_it_first_rises() -> None:
    # An increase from nothing to one is none to a monitor that never saw the nothing.
    found = samples(Metrics())

    for fate in Fate:
        assert found["obdesk_relay_deliveries_total", fate.outcome, fate.reason] == 0
    for call in BrokerCall:
        for outcome in BrokerOutcome:
            assert found["obdesk_relay_broker_calls_total", call.value, outcome.value] == 0
    for route in Route:
        assert found["obdesk_relay_responses_total", route.value, "500"] == 0
    assert found["obdesk_relay_bearers_total",] == 0


def test_answers_and_calls_to_the_aggregator_are_counted() -> None:
    metrics = Metrics()
    metrics.answered(Route.PULL, 200)
    metrics.answered(Route.PULL, 404)
    metrics.called(BrokerCall.INIT, BrokerOutcome.UNSURE)

    found = samples(metrics)
    assert found["obdesk_relay_responses_total", "pull", "200"] == 1
    assert found["obdesk_relay_responses_total", "pull", "404"] == 1
    assert found["obdesk_relay_broker_calls_total", "init", "unsure"] == 1


def test_how_full_the_store_is_and_how_long_the_oldest_hint_waits() -> None:
    metrics = Metrics()
    metrics.store_is(Figures(sources=2, devices=3, waiting=40, oldest_at_us=5_000_000), now_us=65_500_000)

    found = samples(metrics)
    assert found["obdesk_relay_store_up",] == 1
    assert found["obdesk_relay_oldest_hint_age_seconds",] == 60.5
    assert found["obdesk_relay_mailbox_depth",] == 40
    assert (found["obdesk_relay_devices",], found["obdesk_relay_sources",]) == (3, 2)


def test_a_store_that_is_down_leaves_what_was_known() -> None:
    metrics = Metrics()
    metrics.store_is(Figures(sources=2, devices=3, waiting=40, oldest_at_us=None), now_us=1)
    metrics.store_is(None, now_us=2)

    found = samples(metrics)
    assert found["obdesk_relay_store_up",] == 0
    assert found["obdesk_relay_devices",] == 3
    assert found["obdesk_relay_oldest_hint_age_seconds",] == 0


def test_a_clock_that_was_set_back_makes_no_hint_younger_than_now() -> None:
    metrics = Metrics()
    metrics.store_is(Figures(sources=0, devices=0, waiting=1, oldest_at_us=9_000_000), now_us=1)

    assert samples(metrics)["obdesk_relay_oldest_hint_age_seconds",] == 0


def test_what_the_store_is_asked_is_measured_also_when_it_fails() -> None:
    metrics = Metrics()
    with metrics.asking(Operation.DELIVER):
        pass
    with pytest.raises(OSError, match="full"), metrics.asking(Operation.DELIVER):
        raise OSError("full")

    assert samples(metrics)["obdesk_relay_store_seconds_count", "deliver"] == 2


def test_two_relays_in_one_process_count_apart() -> None:
    one, other = Metrics(), Metrics()
    one.delivered(Fate.KEPT)

    assert samples(other)["obdesk_relay_deliveries_total", "kept", ""] == 0


def test_labels_are_words_of_closed_sets() -> None:
    metrics = Metrics()
    metrics.answered(Route.HOOK, 401)
    labels = {
        name
        for family in text_string_to_metric_families(metrics.render().decode())
        for sample in family.samples
        for name in sample.labels
    }

    assert labels == {"outcome", "reason", "route", "status", "call", "operation", "le"}


def test_no_series_tells_when_it_began() -> None:
    assert b"_created" not in Metrics().render()


def test_the_text_says_which_format_it_has() -> None:
    assert CONTENT_TYPE.startswith("text/plain; version=")


@pytest.mark.skipif(sys.platform != "linux", reason="the figures of a process are read from /proc")
def test_memory_and_open_files_of_the_process_are_told() -> None:
    found = samples(Metrics())

    assert found["process_resident_memory_bytes",] > 1_000_000
    assert found["process_open_fds",] > 0
