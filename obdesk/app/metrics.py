"""Figures for a monitor on this computer (Prometheus text format); off unless the person asked for it.

It listens on 127.0.0.1, answers GET /metrics and nothing else, and writes nothing. Labels hold the numbers
of links and words of closed sets: no bank, no account, no IBAN, no amount. Requests that name another host
are refused, so that no page in a browser can read them through a name of its own.
"""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING

import h11
from prometheus_client import CollectorRegistry
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.registry import Collector

from obdesk.app.loopback import read_request
from obdesk.domain.entities import AccountState, RunResult
from obdesk.domain.errors import AppError
from obdesk.domain.limits import BreakerState
from obdesk.domain.mailbox import MailboxState
from obdesk.domain.texts import tr

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import datetime

    from obdesk.app.interface import Activity, Reads
    from obdesk.domain.mailbox import MailboxStatus
    from obdesk.domain.scores import ConnectionScore, Scores

HOST = "127.0.0.1"
PATH = "/metrics"
_REQUEST_S = 5.0
_CLIENTS_MAX = 8

_log = logging.getLogger(__name__)


class MetricsPortTakenError(AppError):
    """Another program listens where the figures were to be offered."""

    def __init__(self, port: int) -> None:
        super().__init__(
            title=tr("A monitor cannot read how syncing goes"),
            cause=tr("Another program on this computer uses port {port}.", port=port),
            next_step=tr("Everything else works. Choose another port with: obdesk configure metrics --port."),
        )


class MetricsServer:
    """Answers scrapes until it is closed; each is read anew from the encrypted file."""

    def __init__(self, reads: Reads) -> None:
        self._reads = reads
        self._server: asyncio.Server | None = None
        self._clients: set[asyncio.StreamWriter] = set()
        self.port = 0

    async def start(self, port: int) -> None:
        """Listen on a port of 127.0.0.1, 0 for a free one; raise MetricsPortTakenError when it is taken."""
        try:
            self._server = await asyncio.start_server(self._serve, HOST, port)
        except OSError as error:
            raise MetricsPortTakenError(port) from error
        self.port = self._server.sockets[0].getsockname()[1]

    def close(self) -> None:
        """Stop listening and let go of everybody who is connected."""
        if self._server is not None:
            self._server.close()
        for writer in tuple(self._clients):
            writer.transport.abort()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._clients.add(writer)
        try:
            if len(self._clients) <= _CLIENTS_MAX:
                async with asyncio.timeout(_REQUEST_S):
                    await self._converse(reader, writer)
        except (TimeoutError, OSError):
            _log.info("a request for figures was dropped")
        finally:
            self._clients.discard(writer)
            writer.close()

    async def _converse(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        http = h11.Connection(h11.SERVER)
        request = await read_request(http, reader)
        status = 400 if request is None else self._judge(request)
        body = exposed(await self._reads.activity(0)) if status == 200 else b""
        if http.our_state in {h11.IDLE, h11.SEND_RESPONSE}:
            writer.write(_response(http, status, body))
            await writer.drain()

    def _judge(self, request: h11.Request) -> int:
        """Return the status of the answer: 200 only for a plain scrape from this computer."""
        headers = dict(request.headers)
        named = headers.get(b"host", b"").decode("ascii", "replace")
        if named not in {f"{HOST}:{self.port}", f"localhost:{self.port}"} or b"origin" in headers:
            return 403
        if request.method != b"GET":
            return 405
        return 200 if request.target.partition(b"?")[0] == PATH.encode() else 404


def _response(http: h11.Connection, status: int, body: bytes) -> bytes:
    headers = [
        ("Content-Type", CONTENT_TYPE_LATEST),
        ("Content-Length", str(len(body))),
        ("Cache-Control", "no-store"),
        ("X-Content-Type-Options", "nosniff"),
        ("Connection", "close"),
    ]
    parts = (
        http.send(h11.Response(status_code=status, headers=headers)),
        http.send(h11.Data(data=body)),
        http.send(h11.EndOfMessage()),
    )
    return b"".join(part for part in parts if part)


def exposed(activity: Activity) -> bytes:
    """Return the figures in Prometheus' text format."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures(activity))
    return generate_latest(registry)


class _Figures(Collector):
    """The families of one scrape."""

    def __init__(self, activity: Activity) -> None:
        self._activity = activity

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Override Collector.collect."""
        scores = self._activity.scores
        yield from _of_runs(scores.connections)
        yield from _of_links(scores.connections)
        yield from _of_calls(scores.connections)
        yield from _of_ages(self._activity)
        yield from _of_all(scores)
        yield from _of_relay(self._activity.relay)


def _family(name: str, text: str, labels: Sequence[str] = ("connection",)) -> GaugeMetricFamily:
    return GaugeMetricFamily(f"obdesk_{name}", text, labels=labels)


def _of_runs(links: Sequence[ConnectionScore]) -> Iterator[GaugeMetricFamily]:
    runs = _family("runs", "Syncs of the last 30 days by how they ended.", ("connection", "result"))
    failures = _family(
        "failures", "Syncs of the last 30 days without an answer, by cause.", ("connection", "condition")
    )
    rows = _family("rows", "Rows of the last 30 days by what happened to them.", ("connection", "change"))
    requests = _family("requests", "Requests to the aggregator in the last 30 days.")
    taken = _family("run_seconds", "Seconds that the syncs of the last 30 days took together.")
    slowest = _family("run_seconds_max", "Seconds that the slowest sync of the last 30 days took.")
    for link in links:
        number, tally = str(link.connection_id), link.tally
        for result in RunResult:
            runs.add_metric([number, result.value], tally.results.get(result, 0))
        for condition, many in tally.failures.items():
            failures.add_metric([number, condition.value], many)
        for change in ("new", "updated", "removed", "unchanged", "problems"):
            rows.add_metric([number, change], getattr(tally.counts, change))
        requests.add_metric([number], tally.requests)
        taken.add_metric([number], tally.duration_s)
        slowest.add_metric([number], tally.duration_max_s)
    yield from (runs, failures, rows, requests, taken, slowest)


def _of_links(links: Sequence[ConnectionScore]) -> Iterator[GaugeMetricFamily]:
    last_run = _family("last_run_timestamp_seconds", "When the last sync ended.")
    success = _family("last_success_timestamp_seconds", "When a sync last brought an answer.")
    row = _family("failures_in_a_row", "Syncs without an answer since the last good one.")
    broken = _family("breaker_open", "1 while the bank is not asked after failures in a row.")
    problems = _family("data_problems", "Findings in the bank's data.")
    pairs = _family("duplicates", "Pairs of rows that may be one operation.")
    proofs = _family("proofs_broken", "Accounts whose rows and balances part.")
    holes = _family("holes", "Stretches of days that no answer covers.")
    for link in links:
        number = [str(link.connection_id)]
        for family, moment in ((last_run, link.last_run_at), (success, link.last_success_at)):
            if moment is not None:
                family.add_metric(number, moment.timestamp())
        row.add_metric(number, link.failures_in_a_row)
        is_open = link.breaker is not None and link.breaker.state is not BreakerState.CLOSED
        broken.add_metric(number, int(is_open))
        problems.add_metric(number, link.data_problems)
        pairs.add_metric(number, link.duplicates)
        proofs.add_metric(number, link.proofs_broken)
        holes.add_metric(number, link.holes)
    yield from (last_run, success, row, broken, problems, pairs, proofs, holes)


def _of_calls(links: Sequence[ConnectionScore]) -> Iterator[GaugeMetricFamily]:
    left = _family("calls_left", "Unattended accesses to the bank left in these 24 hours.")
    made = _family("calls", "Accesses to the bank in the last 24 hours.", ("connection", "attended"))
    for link in links:
        number = str(link.connection_id)
        left.add_metric([number], link.calls.budget.left)
        made.add_metric([number, "yes"], link.calls.attended)
        made.add_metric([number, "no"], link.calls.unattended)
    yield from (left, made)


def _of_ages(activity: Activity) -> Iterator[GaugeMetricFamily]:
    """Yield the age of each link's oldest account on both clocks; a link with an unknown date has none."""
    asked = _family("asked_age_seconds", "Seconds since a link's accounts were asked for.")
    data = _family("data_age_seconds", "Seconds since the bank's data of a link's oldest account.")
    for link in activity.scores.connections:
        clocks = [
            each.freshness
            for each in activity.accounts
            if each.connection_id == link.connection_id and each.state is AccountState.ACTIVE
        ]
        for family, moments in (
            (asked, [each.asked_at for each in clocks]),
            (data, [each.data_as_of for each in clocks]),
        ):
            if moments and (age_s := _age_s(moments, activity.scores.as_of)) is not None:
                family.add_metric([str(link.connection_id)], age_s)
    yield from (asked, data)


def _age_s(moments: list[datetime | None], now: datetime) -> float | None:
    known = [moment for moment in moments if moment is not None]
    return (now - min(known)).total_seconds() if len(known) == len(moments) else None


def _of_all(scores: Scores) -> Iterator[GaugeMetricFamily]:
    waiting = [job for job in scores.queue if not job.running]
    oldest = min((job.put_at for job in waiting), default=scores.as_of)
    figures = (
        ("queue_depth", "Syncs that wait.", len(waiting)),
        ("queue_running", "Syncs under way.", len(scores.queue) - len(waiting)),
        (
            "queue_oldest_seconds",
            "Seconds that the oldest of them has waited.",
            (scores.as_of - oldest).total_seconds(),
        ),
        (
            "hosts_not_asked",
            "Hosts of aggregators that are not asked after failures in a row.",
            sum(each.state is not BreakerState.CLOSED for each in scores.hosts.values()),
        ),
        ("requests_last_minute", "Requests of the last minute.", scores.requests_last_minute),
        ("requests_last_hour", "Requests of the last hour.", scores.requests_last_hour),
        ("token_renewals", "Tokens renewed in the last 30 days.", scores.token_renewals),
    )
    for name, text, value in figures:
        family = _family(name, text, ())
        family.add_metric([], value)
        yield family


def _of_relay(status: MailboxStatus | None) -> Iterator[GaugeMetricFamily]:
    """Yield how the relay is; where none is set up, that alone."""
    family = _family("relay_set_up", "1 where a relay keeps webhooks for this computer.", ())
    family.add_metric([], int(status is not None))
    yield family
    if status is None:
        return
    figures: tuple[tuple[str, str, float | None], ...] = (
        ("relay_connected", "1 while the relay answers.", status.state is MailboxState.CONNECTED),
        ("relay_since_timestamp_seconds", "Since when it does, or does not.", _stamp(status.since)),
        ("relay_last_answer_timestamp_seconds", "When it last answered.", _stamp(status.pulled_at)),
        (
            "relay_last_delivery_timestamp_seconds",
            "When a webhook last came there.",
            _stamp(status.delivered_at),
        ),
        ("relay_hints", "Hints that came since it was set up.", status.hints),
        ("relay_hints_unreadable", "Those among them that could not be opened.", status.unreadable),
        ("relay_syncs_waiting", "Syncs that were hinted at and wait.", status.waiting),
        ("relay_links_unknown", "Links that hints came for and that nobody here knows.", status.parked),
        ("relay_computers", "Computers that share what banks may be asked.", status.peers),
        ("relay_token_seen", "1 while a token that it saw still opens something.", status.exposed),
    )
    for name, text, value in figures:
        family = _family(name, text, ())
        if value is not None:
            family.add_metric([], float(value))
        yield family


def _stamp(moment: datetime | None) -> float | None:
    return None if moment is None else moment.timestamp()
