"""One simulated year of one household: business as usual, faults, and what must hold all the while."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from obdesk.domain.conditions import needs_you
from obdesk.domain.entities import RunResult, Trigger
from obdesk.domain.ids import ConnectionId
from obdesk.storage.queries import connections
from obdesk.sync import policy
from tests.flows.mailroom import CODE, URL
from tests.flows.years import model
from tests.flows.years.bank import Bank
from tests.flows.years.clockwork import Loop, SimClock
from tests.flows.years.desk import TOLD, Desk, DiedError
from tests.flows.years.faults import Dice, Profile
from tests.flows.years.relay import Relay
from tests.flows.years.trouble import DAY_S, Trouble
from tests.flows.years.wire import Api
from tests.storage.files import checked

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable
    from datetime import datetime
    from pathlib import Path

    from obdesk.domain.entities import Connection
    from obdesk.domain.ids import TransactionId
    from obdesk.domain.syncing import SyncOutcome

CONVERGE_MAX_S = 2 * 86_400.0
"""Twice the longest wait there is: a day, which an absurd Retry-After is clamped to."""
_FILE_BYTES_MAX = 12 * 2**20
_GOOD = frozenset({RunResult.UPDATED, RunResult.UNCHANGED})


@dataclass(slots=True)
class _Seen:
    """What the harness remembers of the syncs."""

    read_at: dict[int, datetime] = field(default_factory=dict)
    syncs: int = 0
    hinted: list[tuple[float, ConnectionId]] = field(default_factory=list)
    """When a link was read because of a hint."""
    background_attended: int = 0
    clock_jumped: bool = False
    """By such a clock nobody could tell how often a day something was done."""
    suspicious: bool = True
    """A fault fired since the ledger was last compared: look again after the next good sync."""


class Life:
    """A household, its banks, its computer, and everything that happens to them."""

    def __init__(
        self, seed: int, profile: Profile, folder: Path, template: Path, loop: Loop, *, relayed: bool
    ) -> None:
        self.dice = Dice(seed, profile)
        self.rng = self.dice.rng
        self.clock = SimClock(loop)
        self.bank = Bank(self.clock, self.dice, links=self.rng.choice([1, 1, 2]))
        self.api = Api(self.bank, self.dice)
        lies = profile is Profile.LIAR
        self.relay = Relay(self.bank, self.clock, self.dice, lies=lies) if relayed else None
        self.desk = Desk(folder / "profile", template, self.clock, self.api, self.dice, self.relay)
        self.told = model.Told()
        self.seen = _Seen()
        self.violations: list[str] = []
        self.loop = loop
        self.trouble = Trouble(self)
        self._late_hints: list[tuple[float, int]] = []
        self._notes = 0

    # Days

    async def live(self, days: int) -> float:
        """Live so many days, then let the faults stop; return the seconds until all was right again."""
        if self.relay is not None:
            await self.desk.pairings.pair(URL, CODE)
        for _ in range(days):
            self.bank.pass_day()
            began_s = self.loop.time()
            await self.trouble.pass_day()
            self.seen.clock_jumped |= bool(self.clock.off_by)
            await self._hear()
            for _ in range(1 if self.dice.chance(0.7) else 2):
                await self.pass_(self.rng.uniform(0.2, 0.4) * DAY_S)
                await self._moment()
            await self.pass_(max(0.0, began_s + DAY_S - self.loop.time()))
            if len(self.violations) > 5:
                return 0.0
        return await self._settle()

    @staticmethod
    async def pass_(seconds: float) -> None:
        await asyncio.sleep(seconds)

    async def _moment(self) -> None:
        """Let the person and the schedule do what they do now and then."""
        if self.loop.time() < self.trouble.away_until_s:
            return
        self.trouble.come_back()
        await self._person()
        await self.guarded(self.desk.sync_due, attended=False)

    async def _hear(self) -> None:
        """Let the aggregator's word that there is something new come: once, often, late, or never."""
        if self.loop.time() < self.trouble.away_until_s or self.desk.store.stopped:
            return
        dice, rng, now_s = self.dice, self.rng, self.loop.time()
        told = [link_id for at_s, link_id in self._late_hints if at_s <= now_s]
        self._late_hints = [each for each in self._late_hints if each[0] > now_s]
        for link in self.bank.links.values():
            if link.state is not None or dice.happens("hook_lost"):
                continue
            if dice.happens("hook_late"):
                self._late_hints.append((now_s + rng.uniform(0, 72) * 3_600, link.id))
                continue
            told += [link.id] * (rng.randint(2, 20) if dice.happens("hook_duplicated") else 1)
        if dice.happens("hook_reordered"):
            rng.shuffle(told)
        forged = [rng.randint(1_000, 9_999)] if dice.happens("hook_forged") else []
        if self.relay is not None:
            await self._by_relay(self.relay, told + forged)
            return
        ids = self.desk.store.read_now(connections.known_ids, "powens")
        hinted = [ids[str(each)] for each in told if str(each) in ids]
        with suppress(*TOLD):
            self.desk.hint([*hinted, *(ConnectionId(each) for each in forged)])

    async def _by_relay(self, relay: Relay, told: list[int]) -> None:
        """Let the aggregator's word come by way of a relay, which has its own troubles."""
        relay.pass_day()
        relay.offline = self.api.offline
        for each in told:
            if not relay.is_down:
                relay.deliver(str(each), state=self.rng.choice([None, "wrongpass"]))
        looks = relay.looks_today()
        for _ in range(looks):
            await self._pull()
            if looks > 1:
                await self.guarded(self.desk.follow_hints, attended=False)
            await self.pass_(60)

    async def _pull(self) -> None:
        planned = self.desk.dies_at
        point = self.rng.choice(["await", "before", "inside", "after"])
        self.desk.dies_at = (point, 0) if self.dice.happens("relay_crash_at_intake") else None
        try:
            await self.desk.look()
        except DiedError:
            self._after_death()
        except TOLD:
            self.seen.suspicious = True
        self.desk.dies_at = planned

    async def _person(self) -> None:
        if self.desk.store.stopped:
            await self.desk.store.resume()
        if self.dice.chance(0.12):
            await self._write_a_note()
        for link in self.bank.links.values():
            if self.bank.needs_person(link) and self.dice.chance(0.3):
                self.bank.renew(link)
                await self.guarded(self.desk.sync_now, attended=True)
        if self.dice.chance(0.05):
            await self.guarded(lambda: self.desk.sync_now(refresh=True), attended=True)

    async def _write_a_note(self) -> None:
        rows = self.desk.store.read_now(_editable)
        if not rows:
            return
        row_id, provider_id = self.rng.choice(rows)
        for link in self.bank.links.values():
            for account in link.accounts:
                for each in account.live:
                    if each.provider_id == provider_id and not _was_silent(link.silent_since, each.former):
                        await self._note(row_id, each.number)
                        return

    async def _note(self, row_id: TransactionId, number: int) -> None:
        self._notes += 1
        note = f"note {number}-{self._notes}"
        try:
            kept = await self.desk.edit(row_id, note)
        except DiedError:
            self.seen.suspicious = True
            kept = note in self.desk.store.read_now(_notes)  # written, though nobody was told
        except TOLD:
            kept = False
        if kept:
            self.told.notes[number] = note

    # Syncs and what must hold after them

    async def guarded(
        self, work: Callable[[], Awaitable[tuple[SyncOutcome, ...]]], *, attended: bool
    ) -> tuple[SyncOutcome, ...]:
        traffic, calls = self.api.traffic, len(self.bank.calls)
        lies, faults = traffic.lies, traffic.faults
        traffic.fulls.clear()
        began = self.clock.now()
        outcomes: tuple[SyncOutcome, ...] = ()
        try:
            outcomes = await work()
        except DiedError:
            self._after_death()
        except TOLD:
            self.seen.suspicious = True
        self.trouble.free_disk()
        self.seen.syncs += len(outcomes)
        self.seen.hinted += [
            (each.started_at.timestamp(), each.connection_id)
            for each in outcomes
            if each.trigger is Trigger.WEBHOOK
        ]
        self.seen.background_attended += not attended and any(
            each.attended for each in self.bank.calls[calls:]
        )
        if traffic.lies != lies or traffic.faults != faults:
            self.seen.suspicious = True
        self._look(outcomes, began, honest=traffic.lies == lies)
        return outcomes

    def _after_death(self) -> None:
        self.seen.suspicious = True
        self.api.traffic.wait_until.clear()  # what was told a moment before death nobody knows any more
        self.trouble.forget_disk()
        self.violations += self.desk.store.read_now(model.words_kept, self.told)

    def _look(self, outcomes: tuple[SyncOutcome, ...], began: datetime, *, honest: bool) -> None:
        """Compare the ledger with the truth where a sync says that it is right now."""
        ids = self.desk.store.read_now(connections.known_ids, "powens")
        links = {local: self.bank.links[int(remote)] for remote, local in ids.items()}
        careful = self.seen.suspicious or self.dice.chance(0.1)
        for outcome in outcomes:
            link = links[outcome.connection_id]
            if outcome.result not in _GOOD:
                continue
            self.seen.read_at[link.id] = began
            if not honest:
                continue
            complete = link.id in self.api.traffic.fulls
            if careful or complete:
                found = self.desk.store.read_now(
                    lambda opened, link=link, complete=complete: model.in_step(
                        opened, link, complete=complete
                    )
                )
                self._report(found, link.id)
            if complete:
                link.silent_since.clear()
                if len(self.bank.links) == 1:
                    self._report(
                        self.desk.store.read_now(model.words_in_place, self.bank, self.told), link.id
                    )
            self.seen.suspicious = False
        if careful:
            self._report(self.desk.store.read_now(model.words_kept, self.told), 0)
            if not self.clock.off_by:
                self._report(
                    model.honest(self._links(), self.bank, self.api.traffic.served, self.clock.now()), 0
                )

    def _links(self) -> tuple[Connection, ...]:
        return self.desk.store.read_now(connections.connections, self.clock.now(), policy.INTERVAL)

    def _report(self, found: list[str], link_id: int) -> None:
        self.violations += [
            f"{self.clock.true_now():%Y-%m-%d %H:%M} link {link_id}: {each}" for each in found[:3]
        ]

    # The end

    async def _settle(self) -> float:
        """I14, I3, I8: faults stop; soon all is right, and asking again changes nothing."""
        self.dice.quiet = True
        await self.trouble.end()
        for link in self.bank.links.values():
            if link.state is not None:
                self.bank.renew(link)
        stopped_s, stopped = self.loop.time(), self.clock.now()
        # By the schedule alone: a person who asks at once would hide what never heals by itself. Only where
        # the program says that it needs its person, there one is.
        while not all(
            self.seen.read_at.get(each, stopped - timedelta(1)) >= stopped for each in self.bank.links
        ):
            await self.pass_(900)
            await self.guarded(self.desk.sync_due, attended=False)
            if any(needs_you(each.condition) for each in self._links()):
                await self.guarded(self.desk.sync_now, attended=True)
            if self.loop.time() - stopped_s > CONVERGE_MAX_S:
                self.violations.append("I14 not in step two days after the last fault")
                break
        converged_s = self.loop.time() - stopped_s
        await self._prove_at_rest()
        return converged_s

    async def _prove_at_rest(self) -> None:
        """Read everything once more and compare; then the file, the log and the budget."""
        await self.pass_(8 * DAY_S)  # so that a full answer is due
        await self.guarded(self.desk.sync_due, attended=False)
        self.seen.suspicious = True
        await self.guarded(self.desk.sync_now, attended=True)
        self._report(self.desk.store.read_now(model.words_in_place, self.bank, self.told), 0)
        self._report(self.desk.store.read_now(model.sums_are_apart), 0)
        before = self.desk.store.read_now(model.digest)
        again = await self.guarded(self.desk.sync_now, attended=True)
        if before != self.desk.store.read_now(model.digest):
            self.violations.append("I8 the same answer changed the ledger")
        self.violations += [
            f"I8 the same answer was {each.result.value}"
            for each in again
            if each.result is RunResult.UPDATED
        ]
        checked(self.desk.store)
        size = sum(path.stat().st_size for path in self.desk.profile.folder.iterdir())
        if size > _FILE_BYTES_MAX:
            self.violations.append(f"I18 the profile takes {size} bytes")
        self.violations += model.budget_kept(self.bank, self.seen.background_attended)
        self.violations += [f"I10 {each}" for each in self.api.traffic.asked_too_early[:3]]
        if not self.seen.clock_jumped:
            self.violations += model.hints_bounded(self.seen.hinted)


def _editable(opened: Any) -> list[tuple[TransactionId, int]]:
    rows: list[tuple[TransactionId, int]] = opened.execute(
        "SELECT id, provider_id FROM transactions WHERE deleted_at IS NULL ORDER BY id DESC LIMIT 40"
    ).fetchall()
    return rows


def _notes(opened: Any) -> list[str]:
    return [row[0] for row in opened.execute("SELECT note FROM transaction_edits").fetchall()]


def _was_silent(silent: dict[int, datetime], former: list[int]) -> bool:
    return any(each in silent for each in former)
