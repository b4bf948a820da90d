"""Any order of what can happen to a store leaves it as a handful of dictionaries would be."""

from __future__ import annotations

import asyncio
from collections import Counter
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from obdesk.relay.protocol import SourceKind
from obdesk.relay.server import redis_link, sqlite_operations
from obdesk.relay.server.store import Broker, BrokerStep, Device, Inbox, Kept, Mail, Source
from tests.relay.conftest import KINDS
from tests.relay.model import RETENTION_US, Model
from tests.relay.places import NOON_US, RedisPlace, SqlitePlace

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Iterator
    from pathlib import Path

    from obdesk.relay.server.store import Store
    from tests.relay.places import Place
    from tests.relay.redis_server import RedisServer

_MAILBOX_MAX = 3
_SOURCES = ("attic", "home", "office")
_DEVICES = ("laptop", "phone", "tablet")
_VERSIONS = (b"old", b"new")
_ROUTES = (b"anna", b"ben\x00")
_CODES = (b"code", b"\xffcode")

sources = st.sampled_from(_SOURCES)
devices = st.sampled_from(_DEVICES)
versions = st.sampled_from(_VERSIONS)
routes = st.sampled_from(_ROUTES)
slots = st.sampled_from([b"a", b"b\x00", b"\xffc", b"d", b"e"])
payloads = st.none() | st.sampled_from([b"p1", b"p\x002", b"\xfe"])
steps = st.sampled_from(BrokerStep)
passed_us = st.sampled_from([-RETENTION_US, -1, 0, 0, 1, 1_000_000, RETENTION_US // 2, RETENTION_US])


class Life(RuleBasedStateMachine):
    """A store beside its model; whatever is asked of one is asked of the other."""

    new_place: Callable[[], Place]

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.place = type(self).new_place()
        self.model = Model(_MAILBOX_MAX)
        self.now_us = NOON_US
        self.sent = 0
        self.opened = AsyncExitStack()
        self.store = self.run(self._opened())
        self.epoch = self.run(self.store.epoch())

    def run(self, work: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(work)

    async def _opened(self) -> Store:
        return await self.opened.enter_async_context(self.place.store())

    def teardown(self) -> None:
        self.run(self.opened.aclose())
        self.runner.close()

    def _mail(self, device: str, slot: bytes) -> Mail:
        self.sent += 1
        return Mail(device, slot, f"hint {self.sent}".encode(), f"dirty {self.sent}".encode())

    @rule(passed_us=passed_us)
    def time_passes(self, passed_us: int) -> None:
        self.now_us = max(self.now_us + passed_us, 1)

    @rule(name=sources, version=versions, kind=st.sampled_from(SourceKind), count=st.integers(0, 2))
    def add_source(self, name: str, version: bytes, kind: SourceKind, count: int) -> None:
        source = Source(name, f"name of {name}", kind, (b"locked\x00",) * count)
        address = name.encode() + version
        self.run(self.store.add_source(source, address))
        self.model.add_source(source, address)

    @rule(name=sources)
    def remove_source(self, name: str) -> None:
        assert self.run(self.store.remove_source(name, self.now_us)) == self.model.remove_source(
            name, self.now_us
        )

    @rule(name=sources)
    def saw_bearer(self, name: str) -> None:
        self.run(self.store.saw_bearer(name, self.now_us))
        self.model.saw_bearer(name, self.now_us)

    @rule(code=st.sampled_from(_CODES), name=sources, lasts_us=st.integers(0, 2_000_000))
    def add_code(self, code: bytes, name: str, lasts_us: int) -> None:
        if self.model.source(name) is not None:
            self.run(self.store.add_code(code, name, self.now_us + lasts_us))
            self.model.add_code(code, name, self.now_us + lasts_us)

    @rule(
        code=st.sampled_from(_CODES), device=devices, name=sources, version=versions, route=st.none() | routes
    )
    def spend_code(self, code: bytes, device: str, name: str, version: bytes, route: bytes | None) -> None:
        made = Device(device, name, b"key\x00" + version, route)
        self.sent += 1
        token = f"token {self.sent}".encode()
        expected = self.model.spend_code(code, made, token, self.now_us)
        assert self.run(self.store.spend_code(code, made, token, self.now_us)) == expected
        assert self.run(self.store.device_of(token)) == self.model.device_of(token)

    @rule(device=devices)
    def pulled(self, device: str) -> None:
        self.run(self.store.pulled(device, self.now_us))
        self.model.pulled(device, self.now_us)

    @rule(device=devices, name=sources, version=versions, route=st.none() | routes)
    def add_device(self, device: str, name: str, version: bytes, route: bytes | None) -> None:
        if self.model.source(name) is not None:
            made, token = Device(device, name, b"key\x00" + version, route), device.encode() + version
            self.run(self.store.add_device(made, token))
            self.model.add_device(made, token)

    @rule(device=devices)
    def remove_device(self, device: str) -> None:
        assert self.run(self.store.remove_device(device)) == self.model.remove_device(device)

    @rule(device=devices, route=routes)
    def set_route(self, device: str, route: bytes) -> None:
        self.run(self.store.set_route(device, route))
        self.model.set_route(device, route)

    @rule(device=devices, was=steps, step=steps, user=st.sampled_from([None, b"\x00user"]))
    def set_broker(self, device: str, was: BrokerStep, step: BrokerStep, user: bytes | None) -> None:
        now = Broker(step, user)
        done = self.run(self.store.set_broker(device, was, now))
        assert done == self.model.set_broker(device, was, now)

    @rule(name=sources, payload=payloads, picked=st.lists(st.tuples(devices, slots), max_size=6))
    def deliver(self, name: str, payload: bytes | None, picked: list[tuple[str, bytes]]) -> None:
        mails = [self._mail(device, slot) for device, slot in picked]
        kept = self.run(self.store.deliver(name, payload, mails, self.now_us))
        assert kept is self.model.deliver(name, payload, mails, self.now_us)

    @rule(name=sources, payload=payloads, slot=slots, device=devices)
    def deliver_many_at_once(self, name: str, payload: bytes | None, slot: bytes, device: str) -> None:
        mails = [self._mail(device, slot)]

        async def all_at_once() -> Counter[Kept]:
            posts = (self.store.deliver(name, payload, mails, self.now_us) for _ in range(3))
            return Counter(await asyncio.gather(*posts))

        kept = Counter(self.model.deliver(name, payload, mails, self.now_us) for _ in range(3))
        assert self.run(all_at_once()) == kept

    @rule(device=devices, at=st.integers(0, 3), after=st.integers(-1, 1))
    def acknowledge(self, device: str, at: int, after: int) -> None:
        head, waiting = self.model.inbox(device, 0, 100)
        upto = (waiting[at].seq if at < len(waiting) else head) + after
        self.run(self.store.acknowledge(device, upto))
        self.model.acknowledge(device, upto)

    @rule(device=devices, at=st.integers(0, 3), limit=st.integers(1, 3))
    def pull_from_somewhere(self, device: str, at: int, limit: int) -> None:
        head, waiting = self.model.inbox(device, 0, 100)
        after = waiting[at].seq if at < len(waiting) else head + at
        self.run(self.store.wait(device, after, 0))
        inbox = self.run(self.store.inbox(device, after, limit))
        assert (inbox.head, inbox.waiting) == self.model.inbox(device, after, limit)

    @rule()
    def purge(self) -> None:
        assert self.run(self.store.purge(self.now_us)) == self.model.purge(self.now_us)

    @rule()
    def renew_epoch(self) -> None:
        renewed = self.run(self.store.renew_epoch())
        assert renewed != self.epoch
        self.epoch = renewed

    @rule()
    def start_again(self) -> None:
        self.run(self.opened.aclose())
        self.store = self.run(self._opened())

    @invariant()
    def every_question_has_the_models_answer(self) -> None:
        self.run(self._compare())

    async def _compare(self) -> None:
        questions = tuple(self._questions())
        answers = await asyncio.gather(*(asked for asked, _ in questions))
        for answer, (_, expected) in zip(answers, questions, strict=True):
            in_no_order = isinstance(expected, frozenset)
            assert (frozenset(answer) if in_no_order else answer) == expected

    def _questions(self) -> Iterator[tuple[Coroutine[Any, Any, Any], object]]:
        store, model = self.store, self.model
        yield store.epoch(), self.epoch
        yield store.sources(), model.sources()
        yield store.figures(), model.figures()
        for code in _CODES:
            yield store.code(code, self.now_us), model.code(code, self.now_us)
        for name in _SOURCES:
            yield store.source(name), model.source(name)
            yield store.devices(name), model.recipients(name, None)
            for route in _ROUTES:
                yield store.recipients(name, route), model.recipients(name, route)
        for device in _DEVICES:
            yield store.broker(device), model.broker(device)
            yield store.was_removed(device), model.was_removed(device)
            yield store.inbox(device, 0, 100), Inbox(self.epoch, *model.inbox(device, 0, 100))
        for version in _VERSIONS:
            for name in _SOURCES:
                address = name.encode() + version
                yield store.source_of(address), model.source_of(address)
            for device in _DEVICES:
                token = device.encode() + version
                yield store.device_of(token), model.device_of(token)


@pytest.mark.timeout(900)
@pytest.mark.parametrize("kind", KINDS)
def test_any_life_of_a_store_is_as_its_model_says(
    kind: str, request: pytest.FixtureRequest, memory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(redis_link, "MAILBOX_MAX", _MAILBOX_MAX)
    monkeypatch.setattr(sqlite_operations, "MAILBOX_MAX", _MAILBOX_MAX)

    def in_a_file() -> Place:
        folder = memory / str(len(tuple(memory.iterdir())))
        folder.mkdir()
        return SqlitePlace(folder / "relay.db")

    def in_redis() -> Place:
        server: RedisServer = request.getfixturevalue("redis")
        server.say("FLUSHALL")
        return RedisPlace(server.url)

    class LifeOfThisKind(Life):
        new_place = staticmethod(in_a_file if kind == "sqlite" else in_redis)

    deep = settings.get_current_profile_name() == "long"
    run_state_machine_as_test(
        LifeOfThisKind,
        settings=settings(
            max_examples=120 if deep else 12,
            stateful_step_count=50 if deep else 25,
            suppress_health_check=[HealthCheck.too_slow],
            deadline=None,
        ),
    )
