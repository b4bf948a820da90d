"""One life from its seed to its verdict."""

from __future__ import annotations

import logging
import shutil
import tempfile
from collections import Counter  # noqa: TC003 - dataclass fields are looked at while it runs
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.flows.years import model
from tests.flows.years.clockwork import Loop, inline_threads
from tests.flows.years.desk import DiedError, Watch
from tests.flows.years.life import Life

if TYPE_CHECKING:
    from tests.flows.years.faults import Profile


@dataclass(slots=True)
class Ended:
    """How a life went."""

    seed: int
    profile: str
    days: int
    fired: Counter[str]
    violations: list[str]
    converged_s: float
    digest: str
    syncs: int
    requests: int


def live(seed: int, profile: Profile, days: int, template: Path, *, relayed: bool = True) -> Ended:
    """Live one life in a folder of its own and tell how it went.

    Unless it is `relayed`, the aggregator's word comes by itself: as in lives that were lived before.
    """
    root = Path("/dev/shm") if Path("/dev/shm").is_dir() else None  # noqa: S108 - made with mkdtemp
    folder = Path(tempfile.mkdtemp(prefix="obdesk-years-", dir=root))
    watch = Watch()
    log = logging.getLogger("obdesk")
    level = log.level
    log.addHandler(watch)
    log.setLevel(logging.DEBUG)
    loop = Loop()
    stray: list[str] = []
    loop.set_exception_handler(lambda _, context: stray.append(_strayed(context)))
    try:
        with inline_threads():
            life = Life(seed, profile, folder, template, loop, relayed=relayed)
            converged_s = loop.run_until_complete(life.live(days))
            digest = life.desk.store.read_now(model.digest)
            loop.run_until_complete(life.desk.close())
    finally:
        loop.close()
        log.removeHandler(watch)
        log.setLevel(level)
        shutil.rmtree(folder)
    life.violations += [f"nobody took care of {each}" for each in stray if each]
    life.violations += [f"I11 {leak}" for leak in watch.leaks[:3]]
    life.violations += [f"an error was logged: {each}" for each in watch.errors[:3]]
    return Ended(
        seed=seed,
        profile=profile.value,
        days=days,
        fired=life.dice.fired,
        violations=life.violations,
        converged_s=converged_s,
        digest=digest,
        syncs=life.seen.syncs,
        requests=life.api.traffic.requests,
    )


def _strayed(context: dict[str, Any]) -> str:
    """Return what nobody took care of; what a dead process leaves behind does not count."""
    error = context.get("exception")
    return "" if isinstance(error, DiedError) else f"{context['message']} {error!r}"
