"""The computer before the banks: the real application's syncs on a real file, which may die at any moment."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import shutil
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any, Never

from sqlcipher3.dbapi2 import OperationalError

from obdesk.app.bus import Bus
from obdesk.app.mailbox import Mailbox
from obdesk.app.pairing import Pairings
from obdesk.app.profile import Profile
from obdesk.app.provider import POWENS_KEYS, Providers
from obdesk.app.syncs import Syncs
from obdesk.domain.entities import Trigger
from obdesk.domain.errors import ObdeskError
from obdesk.providers.powens.provider import PowensProvider
from obdesk.providers.powens.settings import PowensSettings
from obdesk.providers.powens.tokens import client_secret_name, user_token_name
from obdesk.relay.client import RelayClient
from obdesk.secrets.errors import KeyringLocked
from obdesk.storage.store import Store
from obdesk.storage.writes import edits
from obdesk.sync import door
from tests.flows.years.clockwork import InlineExecutor
from tests.flows.years.wire import ROOT
from tests.seed import KEY
from tests.sync.outcomes import hinted_at

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence
    from concurrent.futures import Future
    from pathlib import Path

    from obdesk.app.brokered import Broker
    from obdesk.domain.ids import ConnectionId, TransactionId
    from obdesk.domain.syncing import SyncOutcome
    from obdesk.storage.tx import Tx
    from tests.flows.years.clockwork import SimClock
    from tests.flows.years.faults import Dice
    from tests.flows.years.relay import Relay
    from tests.flows.years.wire import Api

SETTINGS = PowensSettings(ROOT, f"{ROOT}/webview", "years.example", "70012345")
_DATABASE = ("ledger.db", "ledger.db-wal")


class DiedError(Exception):
    """The process is no more; nothing that happens afterwards counts."""


class Keyring:
    """The system's keyring: it outlives the process, and may be locked."""

    def __init__(self, token: str) -> None:
        self.locked = False
        self._away: str | None = None
        self.kept = {
            client_secret_name(SETTINGS): "secretmarker",
            user_token_name(SETTINGS): json.dumps({"token": token, "id_user": 6120}),
        }

    def change(self, *, changed: bool) -> None:
        """Let somebody else take the token away, or put it back."""
        name = user_token_name(SETTINGS)
        if changed and name in self.kept:
            self._away = self.kept.pop(name)
        elif not changed and self._away is not None:
            self.kept.setdefault(name, self._away)
            self._away = None

    def get(self, name: str) -> str | None:
        """Return a secret."""
        self._unlocked()
        return self.kept.get(name)

    def put(self, name: str, value: str) -> None:
        """Keep a secret."""
        self._unlocked()
        self.kept[name] = value

    def delete(self, name: str) -> None:
        """Forget a secret."""
        self._unlocked()
        self.kept.pop(name, None)

    def names(self) -> frozenset[str]:
        """Return all names."""
        return frozenset(self.kept)

    def _unlocked(self) -> None:
        if self.locked:
            raise KeyringLocked


class _Providers(Providers):
    """The application's provider, with the line to the simulated API."""

    transport: Api

    def _build(self, settings: PowensSettings, most: str, broker: Broker | None) -> PowensProvider:
        del settings, most, broker
        return PowensProvider(
            SETTINGS, self._tokens, self._clock, rng=self._rng, transport=self.transport, sleep=asyncio.sleep
        )


class _Writer(InlineExecutor):
    """The writing thread, on whose way to a commit the process may die."""

    def __init__(self, desk: Desk) -> None:
        super().__init__(1)
        self._desk = desk

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Override ThreadPoolExecutor.submit; what is submitted is `run(unit)`."""
        if not args:  # looking whether a disk works again
            return super().submit(fn, **kwargs)
        unit, *rest = args
        return super().submit(self._desk.dying(fn, unit), *rest, **kwargs)


class Watch(logging.Handler):
    """Reads every log record as a curious person would."""

    def __init__(self) -> None:
        super().__init__(logging.DEBUG)
        self.leaks: list[str] = []
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Override logging.Handler.emit."""
        text = record.getMessage()
        if "marker" in text.lower():
            self.leaks.append(f"{record.name}: {text}")
        if record.levelno >= logging.ERROR:
            self.errors.append(f"{record.name}: {text}")


class Desk:
    """One profile on one computer."""

    def __init__(
        self, folder: Path, template: Path, clock: SimClock, api: Api, dice: Dice, relay: Relay | None
    ) -> None:
        self.profile = Profile(folder, "years")
        self.profile.prepare()
        shutil.copy(template, self.profile.database)
        self.clock = clock
        self.api = api
        self.dice = dice
        self.relay = relay
        self.keyring = Keyring(api.token)
        self.dies_at: tuple[str, int] | None = None
        """Where the process dies: `before`, `inside` or `after` the commit of the n-th write, or `await`."""
        self._saved: dict[str, bytes] | None = None
        self._at_work = False
        self._is_asked = False
        self._death = asyncio.Event()
        self.power_cut = False
        """Whether death comes with a power cut, which tears what was being written."""
        self.disk_fails = False
        """Whether the next thing written fails for good."""
        self.store = self._opened()
        self.syncs = self._started()
        self.store.write_now(self._configure)

    @staticmethod
    def _configure(tx: Tx) -> None:
        values = (SETTINGS.api_url, SETTINGS.webview_url, SETTINGS.domain, SETTINGS.client_id)
        for key, value in zip(POWENS_KEYS, values, strict=True):
            edits.set_setting(tx, key, value)

    def _opened(self) -> Store:
        store = Store.open(self.profile.database, KEY)
        store._writer._pool = _Writer(self)
        return store

    def _started(self) -> Syncs:
        # A new process has a chance of its own, and the seed decides over it too.
        rng = random.Random(self.dice.rng.getrandbits(64))  # noqa: S311 - chance, not secrets
        self.providers = _Providers(self.store, self.keyring, self.clock, rng)
        self.providers.transport = self.api
        pairings = Pairings(self.store, self.keyring, self.clock)
        pairings._built = lambda url: RelayClient(url, transport=self.relay)  # type: ignore[method-assign]
        self.pairings = pairings
        self.mailbox = Mailbox(
            self.profile, self.store, pairings, Bus(), self.clock, rng, self.providers.user_code
        )
        return Syncs(self.profile, self.store, self.providers, Bus(), self.clock, rng, "years")

    # Dying

    def dying(self, run: Callable[..., Any], unit: Callable[[Tx], Any]) -> Callable[..., Any]:
        """Return the writing of a unit, which may be the last thing that this process does."""
        if self._saved is not None:
            return self._dead
        if self.disk_fails and self._is_asked:
            self.disk_fails = False
            return lambda *rest, **kwargs: run(partial(_fails, unit), *rest, **kwargs)
        if self.dies_at is None or self.dies_at[0] == "await" or not self._at_work:
            return lambda *rest, **kwargs: run(unit, *rest, **kwargs)
        point, left = self.dies_at
        if left > 0:
            self.dies_at = (point, left - 1)
            return lambda *rest, **kwargs: run(unit, *rest, **kwargs)

        def last(*rest: Any, **kwargs: Any) -> Any:
            match point:
                case "before":
                    return self._die_after(None)
                case "inside":
                    return run(lambda tx: self._die_after(unit(tx)), *rest, **kwargs)
                case _:
                    return self._die_after(run(unit, *rest, **kwargs))

        return last

    @staticmethod
    def _dead(*_: Any, **__: Any) -> None:
        raise DiedError

    def _die_after(self, _: Any) -> Never:
        self.die()

    def die(self) -> Never:
        """End the process here: what the disk holds now is all that stays."""
        self._saved = self._files()
        self._death.set()
        raise DiedError

    def _files(self) -> dict[str, bytes]:
        paths = [self.profile.folder / name for name in _DATABASE]
        return {path.name: path.read_bytes() for path in paths if path.exists()}

    async def living(self, work: Coroutine[Any, Any, Any]) -> Any:
        """Run some work of the process; raises DiedError when it died of it, after it was started anew."""
        self._is_asked = True
        try:
            return await self._living(work)
        finally:
            self._is_asked = False

    async def _living(self, work: Coroutine[Any, Any, Any]) -> Any:
        if self.dies_at is None:
            return await work
        task = asyncio.get_running_loop().create_task(work)
        self._at_work = True
        if self.dies_at[0] == "await":
            for _ in range(self.dies_at[1]):
                await asyncio.sleep(0)
                if task.done():
                    break
            else:
                with suppress(DiedError):
                    self.die()
        else:
            # What the dead would still do must not be waited for: it may wait for itself.
            death = asyncio.ensure_future(self._death.wait())
            await asyncio.wait({task, death}, return_when=asyncio.FIRST_COMPLETED)
            death.cancel()
        self._at_work = False
        died = self._saved is not None
        self.dies_at = None
        if not died:
            return await task
        await self._bury(task)
        raise DiedError

    async def _bury(self, task: asyncio.Task[Any]) -> None:
        """Let go of whatever the dead process held, and start the next one on what it left."""
        others = asyncio.all_tasks() - {asyncio.current_task()} | {task}
        for each in others:
            each.cancel()
        await asyncio.gather(*others, return_exceptions=True)
        saved = self._saved
        assert saved is not None
        await self.restart(saved)

    async def restart(self, files: dict[str, bytes] | None = None) -> None:
        """Close the application and open it again, on the files that a dead one left if it died."""
        await self.mailbox.close()
        await self.providers.aclose()
        self.store.close()
        if files is not None:
            for path in self.profile.folder.glob("ledger.db*"):
                path.unlink()
            for name, content in files.items():
                (self.profile.folder / name).write_bytes(content)
            if self.power_cut:
                self._tear_log()
        self._saved = None
        self._death.clear()
        self.store = self._opened()
        self.syncs = self._started()

    def _tear_log(self) -> None:
        """Leave half a frame at the end of the write-ahead log, as a power cut does."""
        log_path = self.profile.folder / "ledger.db-wal"
        if log_path.exists():
            with log_path.open("ab") as log:
                log.write(self.dice.rng.randbytes(self.dice.rng.randint(1, 3_000)))

    # Working

    async def sync_due(self) -> tuple[SyncOutcome, ...]:
        """Do what the schedule does once a minute."""
        done: tuple[SyncOutcome, ...] = await self.living(self.syncs.sync_due(Trigger.SCHEDULE))
        return done

    async def sync_now(
        self, wanted: Sequence[ConnectionId] | None = None, *, refresh: bool = False
    ) -> tuple[SyncOutcome, ...]:
        """Do what the person's button does."""
        self.api.attended = True
        try:
            done: tuple[SyncOutcome, ...] = await self.living(
                self.syncs.sync(wanted, trigger=Trigger.PERSON, refresh_at_bank=refresh)
            )
        finally:
            self.api.attended = False
        return done

    def hint(self, hinted: Sequence[ConnectionId]) -> None:
        """Do what a webhook brings about, as if there were no relay in between."""
        wishes = [hinted_at(each, self.clock.now()) for each in hinted]

        def write(tx: Tx) -> None:
            for wish in wishes:
                with suppress(LookupError):  # an invented link
                    door.put(tx, wish)

        self.store.write_now(write)

    async def look(self) -> None:
        """Look into the relay's mailbox once."""
        await self.living(self.mailbox.look(wait_s=0))

    async def follow_hints(self) -> tuple[SyncOutcome, ...]:
        """Do at once what the relay had hints about."""
        done: tuple[SyncOutcome, ...] = await self.living(self.syncs.sync_hinted(looks=True))
        return done

    async def edit(self, row: TransactionId, note: str) -> bool:
        """Write a note and a category of the person's; true means acknowledged."""

        def write(tx: Tx) -> bool:
            return edits.edit_transaction(tx, row, note=note, category="mine", now=self.clock.now())

        kept: bool = await self.living(self.store.write(write))
        return kept

    async def close(self) -> None:
        """Quit."""
        await self.mailbox.close()
        await self.providers.aclose()
        self.store.close()


def _fails(unit: Callable[[Tx], Any], tx: Tx) -> Never:
    unit(tx)
    raise OperationalError("disk I/O error")


TOLD = (ObdeskError,)
"""Errors with words for a person: they are told, not bugs."""
