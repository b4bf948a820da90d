"""What befalls the computer: death, full and failing disks, a wrong clock, no network, a second process."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from obdesk.app.locks import SyncHeldError
from obdesk.domain.entities import Trigger
from obdesk.storage.errors import DatabaseNewerError
from obdesk.storage.store import Store
from tests.flows.years import model
from tests.flows.years.faults import Profile
from tests.seed import KEY
from tests.storage.files import fingerprint, raw

if TYPE_CHECKING:
    from tests.flows.years.life import Life

DAY_S = 86_400.0
_TAKEN = ("provider", "network", "keyring", "disk")


class Trouble:
    """Lets one life's computer get into trouble, and out of it."""

    def __init__(self, life: Life) -> None:
        self._life = life
        self.dice, self.rng = life.dice, life.dice.rng
        self.away_until_s = 0.0
        self._disk_is_full = False
        self._taken: list[str] = []
        """What is taken away at the moment, in a swizzled life."""

    async def pass_day(self) -> None:
        """Let a day's trouble come."""
        life, dice, rng = self._life, self.dice, self.rng
        life.desk.keyring.change(changed=dice.happens("host_keyring_changed"))
        life.desk.keyring.locked = dice.happens("host_keyring_locked")
        life.api.down = dice.happens("provider_down")
        if dice.profile is Profile.SWIZZLE:
            self._swizzle()
        if dice.happens("token_revoked"):
            life.api.revoke()
        if dice.happens("host_suspend"):
            asleep_s = rng.uniform(1, 12) * 3_600
            await life.pass_(asleep_s)
            life.clock.has_slept(asleep_s)
        if dice.happens("host_offline"):
            self.away_until_s = life.loop.time() + rng.choice([0.05, 0.3, 1, 3, 10, 40, 120]) * DAY_S
        if self.away_until_s > life.loop.time():
            life.api.offline = True
            if dice.chance(0.3):
                await life.guarded(life.desk.sync_due, attended=False)
        self._turn_clock()
        if dice.happens("host_second_process"):
            await self._second_process()
        if dice.happens("host_newer_file"):
            await self._newer_file()
        self._plan_death()

    def come_back(self) -> None:
        """Let the network be there again."""
        self._life.api.offline = "network" in self._taken

    async def end(self) -> None:
        """Let no trouble come any more, and what there is be over."""
        life = self._life
        life.desk.dies_at, life.desk.disk_fails = None, False
        self._taken.clear()
        life.desk.keyring.change(changed=False)
        life.desk.keyring.locked = life.api.offline = life.api.down = False
        life.clock.off_by = timedelta()
        self.free_disk()
        if life.desk.store.stopped:
            await life.desk.store.resume()

    def _swizzle(self) -> None:
        """Take one more thing away, or give one back, in any order."""
        life = self._life
        if self._taken and self.dice.chance(0.4):
            self._taken.remove(self.rng.choice(self._taken))
        elif self.dice.happens("host_swizzled"):
            left = [each for each in _TAKEN if each not in self._taken]
            if left:
                self._taken.append(self.rng.choice(left))
        life.api.down = life.api.down or "provider" in self._taken
        life.api.offline = "network" in self._taken
        life.desk.keyring.locked = life.desk.keyring.locked or "keyring" in self._taken
        if "disk" in self._taken:
            self._fill_disk()

    def _turn_clock(self) -> None:
        life, before = self._life, self._life.clock.off_by
        if life.clock.off_by:
            life.clock.off_by = timedelta()
        elif self.dice.happens("host_clock_jump"):
            life.clock.off_by = self.rng.choice([timedelta(days=14), timedelta(days=-1), timedelta(hours=-3)])
        if life.clock.off_by != before:
            life.api.traffic.wait_until.clear()  # by that clock another moment was meant

    def _plan_death(self) -> None:
        desk = self._life.desk
        power = self.dice.happens("host_power_loss")
        if power or self.dice.happens("host_crash"):
            point = self.rng.choice(["await", "await", "before", "inside", "after"])
            desk.dies_at = (point, int(2 ** self.rng.uniform(0, 8)) if point == "await" else 0)
            desk.power_cut = power
            if point != "await":
                desk.dies_at = (point, self.rng.randint(0, 3))
        elif self.dice.happens("host_disk_full"):
            self._fill_disk()
        elif self.dice.happens("host_disk_fails"):
            desk.disk_fails = True

    # The disk

    def _fill_disk(self) -> None:
        def full(opened: Any) -> None:
            pages = opened.execute("PRAGMA page_count").fetchone()[0]
            opened.execute(f"PRAGMA max_page_count = {pages}")

        if not self._life.desk.store.stopped:
            self._life.desk.store.write_now(lambda tx: full(tx.connection))
            self._disk_is_full = True

    def free_disk(self) -> None:
        """Let there be room again, unless it is taken away for longer."""
        if self._disk_is_full and "disk" not in self._taken and not self._life.desk.store.stopped:
            self._life.desk.store.write_now(lambda tx: tx.execute("PRAGMA max_page_count = 1000000"))
            self._disk_is_full = False

    def forget_disk(self) -> None:
        """Note that the process that saw a full disk is no more."""
        self._disk_is_full = False

    # Others

    async def _second_process(self) -> None:
        """I13: while another process syncs, this one neither asks nor writes."""
        desk, violations = self._life.desk, self._life.violations
        before, requests = desk.store.read_now(model.digest), self._life.api.traffic.requests
        with FileLock(desk.profile.sync_lock, mode=0o600):
            await desk.syncs.sync_due(Trigger.SCHEDULE)
            with suppress(SyncHeldError):
                await desk.syncs.sync(None, trigger=Trigger.SCHEDULE, refresh_at_bank=False)
                violations.append("I13 two processes synced at once")
        if requests != self._life.api.traffic.requests or before != desk.store.read_now(model.digest):
            violations.append("I13 something was asked or written while another process synced")

    async def _newer_file(self) -> None:
        """I17: a file of a newer program is refused and left as it is."""
        desk, violations = self._life.desk, self._life.violations
        await desk.restart()
        await desk.close()
        path = desk.profile.database
        with raw(path) as opened:
            (version,) = opened.execute("PRAGMA user_version").fetchone()
            opened.execute(f"PRAGMA user_version = {version + 1}")
        before = fingerprint(path)
        try:
            Store.open(path, KEY).close()
            violations.append("I17 a newer file was opened")
        except DatabaseNewerError:
            if fingerprint(path) != before:
                violations.append("I17 a newer file was written to")
        with raw(path) as opened:
            opened.execute(f"PRAGMA user_version = {version}")
        await desk.restart()
