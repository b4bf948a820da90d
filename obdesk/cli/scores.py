"""How well syncing goes, for `obdesk status`: stable JSON keys (docs/guide.md), few lines for people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.cli.documents import Document, amount_text, instant_text
from obdesk.cli.output import cleaned, say
from obdesk.cli.words import local_time
from obdesk.domain.entities import RunResult
from obdesk.domain.texts import tr, trn

if TYPE_CHECKING:
    from collections.abc import Iterator

    from obdesk.domain.limits import Breaker
    from obdesk.domain.proofs import AccountProof
    from obdesk.domain.scores import (
        ConnectionScore,
        OpenHole,
        QueuedJob,
        Scores,
        Tally,
    )

_FAILED = (RunResult.ACTION_NEEDED, RunResult.RETRY_LATER, RunResult.BROKEN)


def scores_documents(scores: Scores) -> Document:
    """Return the keys that `obdesk status --json` adds to the accounts."""
    return {
        "scores": {
            "as_of": instant_text(scores.as_of),
            "since": instant_text(scores.since),
            "overall": _tally(scores.overall),
            "connections": [_connection(each) for each in scores.connections],
            "hosts": [{"host": host, **_breaker(each)} for host, each in sorted(scores.hosts.items())],
            "requests_last_minute": scores.requests_last_minute,
            "requests_last_hour": scores.requests_last_hour,
            "token_renewals": scores.token_renewals,
            "token_renewed_at": instant_text(scores.token_renewed_at),
        },
        "queue": _queue(scores),
        "findings": [
            {
                "connection_id": each.connection_id,
                "bank": each.bank,
                "kind": each.kind,
                "many": each.many,
                "seen_at": instant_text(each.seen_at),
            }
            for each in scores.findings
        ],
        "proofs": {
            "checked": scores.proofs.checked,
            "broken": [_proof(each) for each in scores.proofs.broken],
        },
        "holes": [_hole(each) for each in scores.holes],
        "budget": [_budget(each) for each in scores.connections],
    }


def _tally(tally: Tally) -> Document:
    return {
        "runs": tally.runs,
        "results": {result.value: tally.results.get(result, 0) for result in RunResult},
        "failures": [
            {"condition": condition.value, "runs": many} for condition, many in tally.failures.items()
        ],
        "new": tally.counts.new,
        "updated": tally.counts.updated,
        "removed": tally.counts.removed,
        "unchanged": tally.counts.unchanged,
        "problems": tally.counts.problems,
        "requests": tally.requests,
        "duration_s": round(tally.duration_s, 3),
        "duration_max_s": round(tally.duration_max_s, 3),
    }


def _connection(score: ConnectionScore) -> Document:
    return {
        "connection_id": score.connection_id,
        "bank": score.bank,
        **_tally(score.tally),
        "last_run_at": instant_text(score.last_run_at),
        "last_success_at": instant_text(score.last_success_at),
        "failures_in_a_row": score.failures_in_a_row,
        "breaker": None if score.breaker is None else _breaker(score.breaker),
        "data_problems": score.data_problems,
        "duplicates": score.duplicates,
        "proofs_broken": score.proofs_broken,
        "holes": score.holes,
    }


def _breaker(breaker: Breaker) -> Document:
    return {
        "state": breaker.state.value,
        "failures_in_a_row": breaker.failures,
        "trips": breaker.trips,
        "failing_since": instant_text(breaker.since),
        "probe_at": instant_text(breaker.probe_at),
    }


def _queue(scores: Scores) -> Document:
    waiting = [job for job in scores.queue if not job.running]
    oldest = min((job.put_at for job in waiting), default=None)
    return {
        "depth": len(waiting),
        "oldest_s": None if oldest is None else max(0, round((scores.as_of - oldest).total_seconds())),
        "running": len(scores.queue) - len(waiting),
        "jobs": [_job(job) for job in scores.queue],
    }


def _job(job: QueuedJob) -> Document:
    return {
        "connection_id": job.connection_id,
        "bank": job.bank,
        "kind": job.kind.value,
        "trigger": job.trigger.value,
        "put_at": instant_text(job.put_at),
        "not_before": instant_text(job.not_before),
        "attempts": job.attempts,
        "running": job.running,
    }


def _proof(proof: AccountProof) -> Document:
    return {
        "account_id": proof.account_id,
        "connection_id": proof.connection_id,
        "bank": proof.bank,
        "first_bad_day": None if proof.first_bad_day is None else proof.first_bad_day.isoformat(),
        "gap": amount_text(proof.gap),
        "currency": None if proof.gap is None else proof.gap.currency.code,
        "checked_at": instant_text(proof.checked_at),
    }


def _hole(hole: OpenHole) -> Document:
    return {
        "account_id": hole.account_id,
        "connection_id": hole.connection_id,
        "bank": hole.bank,
        "from_day": hole.from_day.isoformat(),
        "to_day": hole.to_day.isoformat(),
        "found_at": instant_text(hole.found_at),
    }


def _budget(score: ConnectionScore) -> Document:
    return {
        "connection_id": score.connection_id,
        "bank": score.bank,
        "left": score.calls.budget.left,
        "of": score.calls.budget.of,
        "unattended": score.calls.unattended,
        "attended": score.calls.attended,
        "resets_at": instant_text(score.calls.budget.resets_at),
    }


def say_scores(scores: Scores) -> None:
    """Write the same in a few lines for a person."""
    say("", *(cleaned(line) for line in _lines(scores)))


def _lines(scores: Scores) -> Iterator[str]:
    tally = scores.overall
    if not tally.runs:
        yield tr("No sync in the last 30 days.")
    else:
        yield tr(
            "Last 30 days: {syncs}, {failed} without an answer; {new} new, {updated} changed, "
            "{removed} removed.",
            syncs=trn("{n} sync", "{n} syncs", tally.runs),
            failed=sum(tally.results.get(each, 0) for each in _FAILED),
            new=tally.counts.new,
            updated=tally.counts.updated,
            removed=tally.counts.removed,
        )
    running = sum(job.running for job in scores.queue)
    yield tr(
        "Queue: {waiting} waiting, {running} running.", waiting=len(scores.queue) - running, running=running
    )
    for each in scores.connections:
        if each.calls.unattended:
            yield tr(
                "{bank}: {left} of {of} unattended checks left, one comes back at {when}.",
                bank=each.bank,
                left=each.calls.budget.left,
                of=each.calls.budget.of,
                when=local_time(each.calls.budget.resets_at),
            )
    opened = ", ".join(_open(scores))
    yield tr("Open: {matters}.", matters=opened) if opened else tr("Nothing is open.")


def _open(scores: Scores) -> Iterator[str]:
    data = sum(each.many for each in scores.findings)
    pairs = sum(scores.suggestions.values())
    if data:
        yield trn("{n} finding in the data", "{n} findings in the data", data)
    if pairs:
        yield trn("{n} pair that may be one operation", "{n} pairs that may be one operation", pairs)
    if broken := len(scores.proofs.broken):
        yield trn("{n} balance that does not add up", "{n} balances that do not add up", broken)
    if holes := len(scores.holes):
        yield trn("{n} hole in the history", "{n} holes in the history", holes)
