"""What the Refresh button says of how often the banks may still be read, and when that grows again."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.domain.conditions import Condition, mended_by_renewing
from obdesk.domain.limits import KEPT_FOR_PERSON
from obdesk.domain.texts import tr, trn
from obdesk.gui.format import Locale, clock, count, instant, time_today

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from obdesk.domain.entities import Connection

BANKS_MAX = 4
"""So many banks have a line of their own, those with the least left first; the others are counted."""


def allowance_of(connections: Sequence[Connection], now: datetime, locale: Locale) -> str:
    """Return in lines what pressing Refresh can do now and what each bank has left without the person."""
    asked = _asked(connections)
    if not asked:
        return ""
    lines = [_on_pressing(asked, now)]
    free = sorted((each for each in asked if not _is_barred(each, now)), key=lambda each: each.budget.left)
    barred = [each for each in asked if _is_barred(each, now)]
    lines += [_barred(each, now, locale) for each in barred[:BANKS_MAX]]
    lines += _rest(len(barred) - BANKS_MAX)
    if free:
        lines.append(tr("Reads we may ask for without you, left as of {time}:", time=clock(now, locale)))
        lines += [_left(each, now, locale) for each in free[:BANKS_MAX]]
        lines += _rest(len(free) - BANKS_MAX)
    return "\n".join(lines)


def only_you_until(connections: Sequence[Connection], now: datetime) -> datetime | None:
    """Return until when nobody but the person has a bank read; None while one at least has a read left.

    What is kept for the person counts as used: no schedule takes it. The time is the first at which one more
    becomes free, which may be too few yet.
    """
    free = [each for each in _asked(connections) if not _is_barred(each, now)]
    if not free or any(each.budget.left > KEPT_FOR_PERSON for each in free):
        return None
    return min((each.budget.resets_at for each in free if each.budget.resets_at is not None), default=None)


def _asked(connections: Sequence[Connection]) -> list[Connection]:
    """Return the links that Refresh asks about: all but what is paused or gone at the aggregator."""
    return [each for each in connections if not each.paused and each.condition is not Condition.GONE]


def _is_barred(each: Connection, now: datetime) -> bool:
    return mended_by_renewing(each.condition) or _has_to_wait(each, now)


def _has_to_wait(each: Connection, now: datetime) -> bool:
    """Tell whether the aggregator slows us down; where it did so often, not even a person is let through."""
    waits = each.condition is Condition.PROVIDER_BUSY
    return waits and each.next_run_at is not None and each.next_run_at > now


def _on_pressing(asked: Sequence[Connection], now: datetime) -> str:
    if not all(_is_barred(each, now) for each in asked):
        return tr("Refreshing yourself is always possible.")
    if all(_has_to_wait(each, now) for each in asked):
        return tr("Refresh may not be let through at the moment.")
    return tr("Refresh asks no bank at the moment: it reads what the aggregator has already.")


def _barred(each: Connection, now: datetime, locale: Locale) -> str:
    if _has_to_wait(each, now) and each.next_run_at is not None:
        when = time_today(each.next_run_at, now, locale)
        return tr("{bank}: the aggregator wants us to wait until {when}", bank=each.bank, when=when)
    return tr("{bank}: is asked again once you renew access", bank=each.bank)


def _left(each: Connection, now: datetime, locale: Locale) -> str:
    budget = each.budget
    left, of = count(budget.left, locale), count(budget.of, locale)
    if budget.resets_at is None:
        return tr("{bank}: {left} of {of}", bank=each.bank, left=left, of=of)
    when = instant(budget.resets_at, now, locale)
    return tr("{bank}: {left} of {of}, one more {when}", bank=each.bank, left=left, of=of, when=when)


def _rest(many: int) -> list[str]:
    return [trn("and {n} more bank", "and {n} more banks", many)] if many > 0 else []
