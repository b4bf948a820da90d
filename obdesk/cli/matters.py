"""What is the matter with a bank, in a few lines with the command that mends it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.cli.output import cleaned, command_for, say
from obdesk.cli.words import local_time
from obdesk.domain.conditions import Condition, explain
from obdesk.domain.texts import tr

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from obdesk.domain.erasures import PendingErasure
    from obdesk.domain.ids import ConnectionId

    Matter = tuple[ConnectionId | None, str, Condition, datetime | None]
    """A link, its bank, its condition, and when it is tried again."""


def say_matters(matters: Iterable[Matter]) -> None:
    """Say each condition that is not good, once per bank."""
    told: set[tuple[str, Condition]] = set()
    for connection_id, bank, condition, next_try in matters:
        if condition is Condition.OK or (bank, condition) in told:
            continue
        told.add((bank, condition))
        found = explain(condition, bank, next_try=next_try, when=local_time(next_try))
        hint = command_for(found.action, connection_id)
        say(
            "",
            cleaned(found.title),
            *(f"  {cleaned(each)}" for each in (found.cause, found.next_step, hint) if each),
        )


def say_pending_deletions(found: Iterable[PendingErasure]) -> None:
    """Say which banks were removed here while the aggregator still has to erase its access."""
    for each in found:
        removed = tr("{bank} is removed here; the aggregator still has to erase it.", bank=each.bank)
        again = tr("We try again by ourselves, next at {when}.", when=local_time(each.next_try_at))
        say("", cleaned(removed), f"  {again}")
