"""What a relay hands over, from its page to the queue: in one transaction, and never more than a reason."""

from __future__ import annotations

import random
import shutil
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.public import PrivateKey

from obdesk.domain.conditions import Condition
from obdesk.domain.entities import Trigger
from obdesk.domain.ids import ConnectionId
from obdesk.domain.jobs import Priority
from obdesk.domain.mailbox import PEERS_MAX, MailboxState
from obdesk.relay.protocol import DIRTY, EVENTS, Cursor, Entry, Hint, Page, to_text
from obdesk.storage.queries import jobs as job_reads
from obdesk.storage.queries import mailbox as reads
from obdesk.storage.store import Store
from obdesk.storage.writes import connections, erasures, jobs, runs
from obdesk.storage.writes import mailbox as writes
from obdesk.sync import intake, policy
from tests.fakes import FrozenClock
from tests.flows.mailroom import page_of
from tests.seed import KEY, remote_connection
from tests.storage.files import made
from tests.sync.outcomes import outcome_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from obdesk.storage.tx import Tx

KEYS = PrivateKey(bytes(range(32)))
FIRST, SECOND = ConnectionId(1), ConnectionId(2)
EPOCH, OTHER_EPOCH = "A" * 22, "B" * 22
PROVIDER_IDS = ("311", "312")


class Desk:
    """A ledger with two links and a relay that was just set up."""

    def __init__(self, path: Path) -> None:
        self.clock = FrozenClock()
        self.store = Store.open(path, KEY)
        self.store.write_now(self._begin)

    def _begin(self, tx: Tx) -> None:
        for provider_id in PROVIDER_IDS:
            connections.adopt(tx, "powens", remote_connection(provider_id), self.clock.now())
        writes.begin(tx, str(Cursor(EPOCH)), self.clock.now())

    def forget(self) -> None:
        """Let it be as if nothing had come yet."""
        self.store.write_now(lambda tx: tx.execute("DELETE FROM jobs"))
        self.store.write_now(lambda tx: writes.begin(tx, str(Cursor(EPOCH)), self.clock.now()))

    def take(self, *hints: Hint, epoch: str = EPOCH, seq: int = 1, peers: int = 1) -> intake.Taken:
        return self.take_page(page_of(hints, bytes(KEYS.public_key), epoch=epoch, seq=seq, peers=peers))

    def take_page(self, page: Page) -> intake.Taken:
        now = self.clock.now()
        return self.store.write_now(lambda tx: intake.take_in(tx, page, bytes(KEYS), now))

    def wanted(self) -> set[ConnectionId]:
        return {each.job.connection_id for each in self.store.read_now(job_reads.waiting)}

    def cursor(self) -> str | None:
        return self.store.read_now(reads.cursor)

    def status(self) -> Any:
        return self.store.read_now(
            lambda opened: reads.status(opened, "relay.example", self.clock.now(), paused=False)
        )

    def read(self, link: ConnectionId, times: int = 1) -> None:
        """Let a link be read because of hints, as if all of it was done."""
        for _ in range(times):
            outcome = outcome_of(link, trigger=Trigger.WEBHOOK, started_at=self.clock.now())
            self.store.write_now(lambda tx, outcome=outcome: runs.add_run(tx, outcome, self.clock.now()))  # type: ignore[misc]
        self.store.write_now(lambda tx: tx.execute("DELETE FROM jobs"))


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an empty file of the present schema, to be copied: making one takes long."""
    return made(tmp_path_factory.mktemp("intake") / "template.db")


@pytest.fixture
def desk(tmp_path: Path, template: Path) -> Iterator[Desk]:
    shutil.copy(template, tmp_path / "ledger.db")
    set_up = Desk(tmp_path / "ledger.db")
    yield set_up
    set_up.store.close()


def hint(connection: str | None = "311", event: str = "CONNECTION_SYNCED", **more: Any) -> Hint:
    return Hint(event, 1_700_000_000_000_000, connection, **more)


def test_a_hint_becomes_one_line_of_the_queue_and_the_cursor_moves_with_it(desk: Desk) -> None:
    taken = desk.take(hint())
    assert taken == intake.Taken(is_news=True)
    ((job,),) = [[each.job for each in desk.store.read_now(job_reads.waiting)]]
    assert (job.connection_id, job.trigger, job.priority) == (FIRST, Trigger.WEBHOOK, Priority.WEBHOOK)
    assert (job.asks_bank, job.attended, job.not_before) == (False, False, desk.clock.now())
    assert desk.cursor() == str(Cursor(EPOCH, 1))


def test_F39_a_crash_before_the_commit_keeps_neither_hint_nor_cursor(desk: Desk) -> None:
    page = page_of([hint()], bytes(KEYS.public_key))

    def crash(tx: Tx) -> None:
        intake.take_in(tx, page, bytes(KEYS), desk.clock.now())
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        desk.store.write_now(crash)
    assert desk.wanted() == set()
    assert desk.cursor() == str(Cursor(EPOCH))
    desk.take_page(page)  # the relay heard nothing, so it hands the same over again
    assert desk.wanted() == {FIRST}


def test_F22_a_thousand_hints_in_pages_that_come_again_and_again_are_one_wish(desk: Desk) -> None:
    page = page_of([hint()] * 100, bytes(KEYS.public_key))
    for _ in range(20):
        desk.take_page(page)
    desk.take(hint("312"))
    assert desk.store.read_now(job_reads.queue_state).depth == 2


def test_F23_the_order_of_hints_and_pages_changes_nothing(desk: Desk) -> None:
    old = Hint("CONNECTION_SYNCED", 1, "311")  # of 1970, as it looks
    desk.take(hint("312"), old, seq=9)
    desk.take(old, hint("312"), seq=3)  # handed over again, with an older cursor
    assert desk.wanted() == {FIRST, SECOND}
    assert desk.cursor() == str(Cursor(EPOCH, 4)), "a cursor that goes back costs a page that comes again"


def test_F25_whatever_a_hint_says_happened_nothing_changes_by_it(desk: Desk) -> None:
    for event in (*EVENTS, "SOMETHING_NOBODY_HEARD_OF"):
        desk.take(*(hint(event=event, state=state) for state in (None, "wrongpass", "moonPhase")))
        assert desk.wanted() == {FIRST}
    told = desk.store.read_now(
        lambda opened: opened.execute("SELECT condition, provider_state FROM connections").fetchall()
    )
    before = remote_connection("311")
    assert set(told) == {(before.condition.value, before.provider_state)}


def test_F25_hints_without_end_are_followed_so_many_times_and_then_wait(desk: Desk) -> None:
    (most, hour), (most_a_day, _) = policy.HINTED_MAX
    desk.read(FIRST, most)
    desk.take(hint())
    (waiting,) = desk.store.read_now(job_reads.waiting)
    assert waiting.job.not_before == desk.clock.now() + hour
    desk.take(hint("312"))
    waits = {each.job.connection_id: each.job.not_before for each in desk.store.read_now(job_reads.waiting)}
    assert waits[SECOND] == desk.clock.now(), "the other link pays nothing for it"
    for _ in range(3):
        desk.clock.advance(2 * 3_600)
        desk.read(FIRST, most)
    desk.clock.advance(2 * 3_600)
    desk.take(hint())
    (waiting,) = [each for each in desk.store.read_now(job_reads.waiting) if each.job.connection_id == FIRST]
    assert most * 4 == most_a_day
    assert waiting.job.not_before == desk.clock.now() + timedelta(hours=16)


def test_F25_a_hint_that_has_to_wait_is_answered_by_a_retry_that_comes_before(desk: Desk) -> None:
    desk.read(FIRST, policy.HINTED_MAX[0][0])
    desk.take(hint())
    (late,) = (each.job for each in desk.store.read_now(job_reads.waiting))
    soon = desk.clock.now() + timedelta(minutes=2)
    retry = replace(late, trigger=Trigger.RETRY, priority=Priority.REST, not_before=soon, attempts=1)
    desk.store.write_now(lambda tx: jobs.keep(tx, retry))
    desk.take(hint(), seq=2)
    (waiting,) = (each.job for each in desk.store.read_now(job_reads.waiting))
    assert (waiting.trigger, waiting.not_before) == (Trigger.RETRY, soon)


def test_F26_a_link_nobody_knows_is_parked_and_followed_once_it_is_there(desk: Desk) -> None:
    taken = desk.take(hint("400"), hint("400"), hint("401"))
    assert taken.is_news
    assert desk.wanted() == set()
    assert desk.store.read_now(reads.parked) == ("400", "401")
    assert not desk.store.write_now(lambda tx: intake.follow_parked(tx, desk.clock.now()))
    third = desk.store.write_now(
        lambda tx: connections.adopt(tx, "powens", remote_connection("400"), desk.clock.now())
    )
    assert desk.store.write_now(lambda tx: intake.follow_parked(tx, desk.clock.now()))
    assert desk.wanted() == {third}
    assert desk.store.read_now(reads.parked) == ("401",)
    desk.clock.advance(intake.PARKED_FOR.total_seconds() + 1)
    desk.store.write_now(lambda tx: intake.follow_parked(tx, desk.clock.now()))
    assert desk.store.read_now(reads.parked) == (), "the schedule finds what appears later"


def test_F26_no_number_of_invented_links_is_remembered_or_looked_for_without_end(desk: Desk) -> None:
    for number in range(200):
        desk.take(hint(str(1_000 + number)), hint("x" * (intake.ID_LENGTH_MAX + 1)))
        desk.clock.advance(1)
    parked = desk.store.read_now(reads.parked)
    assert len(parked) == writes.PARKED_MAX
    assert parked[-1] == "1199"
    looks = 0
    for _ in range(24 * 12):
        desk.take(hint(str(random.randrange(10**9))))  # noqa: S311 - chance, not secrets
        now = desk.clock.now()
        if policy.look_at(desk.store.read_now(reads.looks, now), now) <= now:
            desk.store.write_now(lambda tx, now=now: writes.looked(tx, now))  # type: ignore[misc]
            looks += 1
        desk.clock.advance(300)
    assert 6 <= looks <= policy.LOOKS_MAX


def test_links_that_the_person_removed_stay_removed(desk: Desk) -> None:
    desk.store.write_now(lambda tx: connections.close(tx, FIRST, desk.clock.now()))
    desk.store.write_now(lambda tx: erasures.ask(tx, SECOND, desk.clock.now()))
    desk.store.write_now(lambda tx: connections.erase(tx, SECOND))
    desk.take(hint("311"), hint("312"))
    assert desk.wanted() == set()
    assert desk.store.read_now(reads.parked) == ()


def test_a_link_that_is_removed_while_a_hint_waits_for_it_is_not_followed(desk: Desk) -> None:
    desk.take(hint("400"))
    adopted = desk.store.write_now(
        lambda tx: connections.adopt(tx, "powens", remote_connection("400"), desk.clock.now())
    )
    desk.store.write_now(lambda tx: connections.close(tx, adopted, desk.clock.now()))
    desk.store.write_now(lambda tx: intake.follow_parked(tx, desk.clock.now()))
    assert desk.wanted() == set()
    assert desk.store.read_now(reads.parked) == ()


def test_a_link_that_was_gone_is_looked_for_again(desk: Desk) -> None:
    desk.store.write_now(lambda tx: connections.mark_gone(tx, FIRST, desk.clock.now()))
    desk.take(hint("311"))
    assert desk.wanted() == set()
    assert desk.store.read_now(reads.parked) == ("311",)
    assert not desk.store.write_now(lambda tx: intake.follow_parked(tx, desk.clock.now()))
    assert desk.store.read_now(reads.parked) == ("311",), "it may come back"


def test_F58_another_life_of_the_store_makes_everything_wanted_once(desk: Desk) -> None:
    taken = desk.take(epoch=OTHER_EPOCH, seq=0)
    assert (taken.is_news, taken.is_dirty) == (True, True)
    assert desk.wanted() == {FIRST, SECOND}
    assert desk.cursor() == str(Cursor(OTHER_EPOCH))
    desk.read(FIRST)
    assert desk.take(epoch=OTHER_EPOCH) == intake.Taken()
    assert desk.wanted() == set()


def test_F58_who_was_forgotten_and_is_known_again_asks_about_everything(desk: Desk) -> None:
    cursor = str(Cursor(OTHER_EPOCH, 5))
    desk.store.write_now(lambda tx: intake.begin_anew(tx, cursor, desk.clock.now()))
    assert desk.cursor() == cursor
    assert desk.wanted() == {FIRST, SECOND}


def test_F59_a_store_that_came_back_from_a_copy_is_another_life_and_its_numbers_are_followed(
    desk: Desk,
) -> None:
    desk.take(hint("311"), seq=900)
    desk.read(FIRST)
    desk.take(hint("312"), epoch=OTHER_EPOCH, seq=40)
    assert desk.wanted() == {FIRST, SECOND}
    assert desk.cursor() == str(Cursor(OTHER_EPOCH, 40))


def sealed_badly() -> list[str]:
    good = page_of([hint()], bytes(PrivateKey(bytes(32)).public_key)).entries[0].sealed
    about_nothing = page_of([hint("")], bytes(KEYS.public_key)).entries[0].sealed
    return [good, good[:-4], about_nothing, "", "not base64url!", to_text(b"x" * 40), "A" * 300]


def test_F61_a_hint_that_does_not_open_is_counted_and_everything_is_asked_about(
    desk: Desk,
) -> None:
    blobs = sealed_badly()
    entries = tuple(Entry(str(Cursor(EPOCH, n)), blob) for n, blob in enumerate(blobs, 1))
    taken = desk.take_page(Page(entries, str(Cursor(EPOCH, len(blobs)))))
    assert (taken.unreadable, taken.is_dirty) == (len(blobs), True)
    assert desk.wanted() == {FIRST, SECOND}
    assert desk.cursor() == str(Cursor(EPOCH, len(blobs))), "it is not asked for again"
    assert (desk.status().hints, desk.status().unreadable) == (len(blobs), len(blobs))


@pytest.mark.parametrize("told", [hint(None), hint(None, "USER_SYNCED"), Hint(DIRTY, 1)])
def test_what_names_no_link_is_about_all_of_them(desk: Desk, told: Hint) -> None:
    assert desk.take(told).is_dirty
    assert desk.wanted() == {FIRST, SECOND}


def test_a_paused_link_is_hinted_at_by_name_only(desk: Desk) -> None:
    desk.store.write_now(lambda tx: connections.pause(tx, FIRST, paused=True))
    desk.take(Hint(DIRTY, 1))
    assert desk.wanted() == {SECOND}
    desk.take(hint("311"))
    assert desk.wanted() == {FIRST, SECOND}
    waiting = {each.job.connection_id: each.live for each in desk.store.read_now(job_reads.waiting)}
    assert waiting == {FIRST: False, SECOND: True}, "it waits until the person goes on"


def test_what_comes_after_the_relay_was_given_up_is_nothing(desk: Desk) -> None:
    desk.store.write_now(writes.forget)
    assert desk.take(hint()) == intake.Taken()
    desk.store.write_now(lambda tx: intake.begin_anew(tx, str(Cursor(OTHER_EPOCH)), desk.clock.now()))
    desk.store.write_now(lambda tx: writes.note(tx, MailboxState.CONNECTED, None, desk.clock.now()))
    assert desk.wanted() == set()
    assert (desk.cursor(), desk.status()) == (None, None)


def test_what_an_answer_says_of_the_relay_is_kept_within_reason(desk: Desk) -> None:
    seen_us = 1_700_000_000_000_000
    told = Page((), str(Cursor(EPOCH)), 10**9, bearer_seen_at_us=seen_us, delivered_at_us=2**70)
    desk.take_page(told)
    status = desk.status()
    assert (status.state, status.peers, status.delivered_at) == (MailboxState.CONNECTED, PEERS_MAX, None)
    assert status.exposed
    assert status.bearer_seen_at.timestamp() * 1_000_000 == seen_us
    desk.store.write_now(writes.mend_bearer)
    assert not desk.status().exposed
    desk.take_page(told)
    assert not desk.status().exposed, "the same sight is not another one"
    desk.take_page(Page((), str(Cursor(EPOCH)), -4, bearer_seen_at_us=seen_us + 2_000))
    assert desk.status().exposed
    assert desk.status().peers == 1


def test_a_trouble_is_dated_from_when_it_began(desk: Desk) -> None:
    began = desk.clock.now()

    def note(state: MailboxState) -> bool:
        return desk.store.write_now(lambda tx: writes.note(tx, state, None, desk.clock.now()))

    assert note(MailboxState.UNREACHABLE)
    desk.clock.advance(3_600)
    assert not note(MailboxState.UNREACHABLE)
    assert desk.status().since == began
    assert note(MailboxState.CONNECTED)
    assert desk.status().since == desk.clock.now()


@pytest.fixture(scope="module")
def lasting(tmp_path_factory: pytest.TempPathFactory, template: Path) -> Iterator[Desk]:
    """Give one desk to many examples; each begins by making it as new."""
    path = tmp_path_factory.mktemp("desk") / "ledger.db"
    shutil.copy(template, path)
    set_up = Desk(path)
    yield set_up
    set_up.store.close()


@settings(max_examples=30)
@given(
    st.lists(
        st.tuples(
            st.sampled_from([*PROVIDER_IDS, "999", None]),
            st.sampled_from([*EVENTS, DIRTY]),
            st.integers(0, 2**60),
        ),
        max_size=20,
    ),
    st.randoms(use_true_random=False),
)
def test_any_hints_in_any_order_any_number_of_times_lead_to_the_same_wishes(
    lasting: Desk, told: list[tuple[str | None, str, int]], rng: random.Random
) -> None:
    hints = [Hint(event, at, connection) for connection, event, at in told]
    shuffled = hints * 3
    rng.shuffle(shuffled)
    wishes = []
    for given_hints in (hints, shuffled):
        lasting.forget()
        for start in range(0, len(given_hints), 7):
            lasting.take(*given_hints[start : start + 7])
        wishes.append((lasting.wanted(), set(lasting.store.read_now(reads.parked))))
    assert wishes[0] == wishes[1]


def test_a_condition_that_waits_for_its_person_is_not_touched(desk: Desk) -> None:
    desk.store.write_now(
        lambda tx: connections.fail(tx, FIRST, Condition.WRONG_PASSWORD, None, keep_needs=False)
    )
    desk.take(hint("311", state=None))
    (kept,) = desk.store.read_now(
        lambda opened: opened.execute("SELECT condition FROM connections WHERE id = 1").fetchone()
    )
    assert kept == Condition.WRONG_PASSWORD.value
