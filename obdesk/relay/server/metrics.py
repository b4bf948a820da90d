"""Figures for a monitor (Prometheus text format): how the relay does, and nothing about whom.

Labels are words of the closed sets below: no source, no device, no connection, no address.

One process is one worker and answers for itself. Several workers share an address, so each has another one
for its figures (`relay.server.doors`) and is scraped there; sums are made by the monitor. The alternative,
figures of all workers in shared files (the library's multiprocess mode), would need a folder that is emptied
at the right moments, has no process figures, and would not tell which worker is down. What the workers have
in common (the store and how full it is) each of them tells, and the dashboards take the greatest.
"""

from __future__ import annotations

from contextlib import contextmanager
from enum import Enum
from itertools import product
from time import perf_counter
from typing import TYPE_CHECKING, Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.process_collector import ProcessCollector

if TYPE_CHECKING:
    from collections.abc import Iterator

    from prometheus_client.metrics_core import Metric

    from obdesk.relay.server.store import Figures

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_NAMESPACE: Final = "obdesk_relay"
_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.0)
"""The sender ends a delivery's run of retries after two time-outs, so two seconds is the end of the scale."""
_SEAL_SECONDS: Final = (0.00005, 0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05)


class Fate(Enum):
    """What became of a request to a hook: an outcome, and for what is not plain its reason."""

    KEPT = ("kept", "")
    DUPLICATE = ("duplicate", "payload_seen")
    NOBODYS = ("dropped", "no_recipient")
    """Of a user that no device belongs to; acknowledged all the same."""
    UNKNOWN = ("refused", "unknown")
    """No such address, event or method."""
    GONE = ("refused", "source_removed")
    UNSIGNED = ("refused", "unsigned")
    BEARER = ("refused", "bearer")
    """Unsigned, with a user's live token instead."""
    SIGNATURE = ("refused", "signature")
    STALE = ("refused", "stale")
    """Signed at a moment that is too far from now."""
    GZIP = ("refused", "gzip")
    """Compressed, and the source takes none."""
    MALFORMED = ("refused", "malformed")
    """Well signed, and not what the aggregator posts."""
    TOO_LARGE = ("refused", "too_large")
    TOO_SLOW = ("refused", "too_slow")
    LIMITED = ("refused", "rate_limited")
    STORE_DOWN = ("failed", "store_down")
    """The sender was asked to come again."""
    WRONG_KEY = ("failed", "wrong_key")
    """The source was kept with another key than this worker has; the same."""

    @property
    def outcome(self) -> str:
        """The word for the label `outcome`."""
        return self.value[0]

    @property
    def reason(self) -> str:
        """The word for the label `reason`; empty where nothing needs one."""
        return self.value[1]


class Route(Enum):
    """Where a request went, without what was in its path."""

    HOOK = "hook"
    PAIRING = "pairing"
    PULL = "pull"
    ACK = "ack"
    LEAVING = "leaving"
    USERS = "users"
    OTHER = "other"
    """Health, figures, the description, and all that there is not."""


class Operation(Enum):
    """What the store is asked in the ways that must be fast."""

    SOURCE_OF = "source_of"
    RECIPIENTS = "recipients"
    DELIVER = "deliver"
    DEVICE_OF = "device_of"
    INBOX = "inbox"
    ACKNOWLEDGE = "acknowledge"


class BrokerCall(Enum):
    """What the aggregator is asked for a device."""

    INIT = "init"
    """To make a user."""
    RENEW = "renew"
    """To make a new token for one."""
    ME = "me"
    """Whose a single-use code is."""


class BrokerOutcome(Enum):
    """How it answered."""

    DONE = "done"
    REFUSED = "refused"
    FAILED = "failed"
    """It did not answer, or with an error of its own; nothing was made."""
    UNSURE = "unsure"
    """It may have done it: the answer was lost."""


class _Registry(CollectorRegistry):
    """A registry without the moment at which each series began, which nobody asks and which doubles them."""

    def collect(self) -> Iterator[Metric]:
        """Override CollectorRegistry.collect."""
        for family in super().collect():
            family.samples = [each for each in family.samples if not each.name.endswith("_created")]
            yield family


class Metrics:
    """All figures of one worker; every series is there from the start, so that its first rise is seen."""

    def __init__(self) -> None:
        self.registry: CollectorRegistry = _Registry()
        ProcessCollector(registry=self.registry)
        self.deliveries = self._counter(
            "deliveries", "Requests to hooks by what became of them.", "outcome", "reason"
        )
        self.bearers = self._counter("bearers", "Requests to hooks that carried a user's live token.")
        self.responses = self._counter("responses", "Answers by route and status.", "route", "status")
        self.broker_calls = self._counter(
            "broker_calls", "Calls to the aggregator by how it answered.", "call", "outcome"
        )
        self.pull_seconds = self._histogram("pull_seconds", "Answering a pull, without its wait for news.")
        self.seal_seconds = self._histogram(
            "seal_seconds", "Sealing the hints of one delivery.", buckets=_SEAL_SECONDS
        )
        self.store_seconds = self._histogram("store_seconds", "Asking the store.", "operation")
        self.store_up = self._gauge("store_up", "1 while the store can be written.")
        self.oldest_hint_age_seconds = self._gauge(
            "oldest_hint_age_seconds", "How long the oldest hint has waited for its device; 0 for none."
        )
        self.mailbox_depth = self._gauge("mailbox_depth", "Hints that wait, in all mailboxes together.")
        self.devices = self._gauge("devices", "Paired devices.")
        self.sources = self._gauge("sources", "Registrations of webhooks at the aggregator.")
        self.long_polls = self._gauge("long_polls", "Pulls that wait for news at this worker.")
        self._begin()

    def _counter(self, name: str, text: str, *labels: str) -> Counter:
        return Counter(name, text, labels, namespace=_NAMESPACE, registry=self.registry)

    def _gauge(self, name: str, text: str) -> Gauge:
        return Gauge(name, text, namespace=_NAMESPACE, registry=self.registry)

    def _histogram(
        self, name: str, text: str, *labels: str, buckets: tuple[float, ...] = _SECONDS
    ) -> Histogram:
        return Histogram(name, text, labels, namespace=_NAMESPACE, registry=self.registry, buckets=buckets)

    def _begin(self) -> None:
        # Looking up a series by its labels takes as long as all the rest of counting; these are the frequent.
        self._fates = {fate: self.deliveries.labels(fate.outcome, fate.reason) for fate in Fate}
        self._asked = {each: self.store_seconds.labels(each.value) for each in Operation}
        self._answers: dict[tuple[Route, int], Counter] = {}
        for call, outcome in product(BrokerCall, BrokerOutcome):
            self.broker_calls.labels(call.value, outcome.value)
        for route, status in product(Route, ("200", "500", "503")):
            self.responses.labels(route.value, status)

    def delivered(self, fate: Fate) -> None:
        """Count a request to a hook."""
        self._fates[fate].inc()

    def answered(self, route: Route, status: int) -> None:
        """Count an answer by its HTTP status."""
        series = self._answers.get((route, status))
        if series is None:
            series = self._answers[route, status] = self.responses.labels(route.value, str(status))
        series.inc()

    def called(self, call: BrokerCall, outcome: BrokerOutcome) -> None:
        """Count a call to the aggregator."""
        self.broker_calls.labels(call.value, outcome.value).inc()

    @contextmanager
    def asking(self, operation: Operation) -> Iterator[None]:
        """Measure what the store is asked in the block, whether it answers or is down."""
        began = perf_counter()
        try:
            yield
        finally:
            self.asked(operation, perf_counter() - began)

    def asked(self, operation: Operation, took_s: float) -> None:
        """Count how long the store took for something."""
        self._asked[operation].observe(took_s)

    def store_is(self, figures: Figures | None, now_us: int) -> None:
        """Take over how full the store is; None where it did not answer: what was known then stays."""
        self.store_up.set(0 if figures is None else 1)
        if figures is None:
            return
        oldest_us = now_us if figures.oldest_at_us is None else figures.oldest_at_us
        self.oldest_hint_age_seconds.set(max(now_us - oldest_us, 0) / 1e6)
        self.mailbox_depth.set(figures.waiting)
        self.devices.set(figures.devices)
        self.sources.set(figures.sources)

    def render(self) -> bytes:
        """Return the figures as CONTENT_TYPE says."""
        return generate_latest(self.registry)
