"""What works on this computer and what does not, each with a sentence and what to do; never a secret."""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import sys
from contextlib import closing
from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from obdesk.app.bootstrap import open_profile
from obdesk.app.clock import SystemClock
from obdesk.app.i18n import decimal_text
from obdesk.app.pairing import Pairings, token_seen
from obdesk.app.provider import NotConfiguredError, Providers
from obdesk.app.reads import StoreReads
from obdesk.app.tokens import DatabaseTokens
from obdesk.domain.conditions import explain
from obdesk.domain.errors import ObdeskError
from obdesk.domain.mailbox import trouble_text
from obdesk.domain.outcomes import Fetched
from obdesk.domain.texts import tr
from obdesk.secrets.errors import KeyringProblem
from obdesk.secrets.keyfile import SlotKind
from obdesk.secrets.keyrings import open_keyring
from obdesk.secrets.vault import Vault
from obdesk.storage.queries import health, mailbox

if TYPE_CHECKING:
    from collections.abc import Callable

    from obdesk.app.bootstrap import OpenProfile
    from obdesk.app.profile import Profile
    from obdesk.domain.outcomes import Failure
    from obdesk.secrets.vault import VaultDescription

PROBE_S = 60.0
_PROBE = "obdesk.gui.probe"  # a process of its own: a screen that fails ends it, not us


class Health(Enum):
    """How a part of the program is."""

    WORKS = "works"
    LIMITED = "limited"
    """Something is missing that the program can do without."""
    UNUSED = "unused"
    UNKNOWN = "unknown"
    """Another part that is broken keeps us from telling."""
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Check:
    """One part, how it is, and what to do where it does not work."""

    name: str
    health: Health
    sentence: str
    what_to_do: str = ""


def examine(profile: Profile, ask_passphrase: Callable[[], str] | None) -> tuple[Check, ...]:
    """Examine key file, keyring, database, provider, relay, webview, tray.

    Changes nothing; blocks for seconds.
    """
    vault = Vault(profile.folder).describe()
    if vault.problem is None:
        data = _data(profile, ask_passphrase)
    else:
        first = tr("Mend the key file first.")
        data = (
            Check("database", Health.UNKNOWN, tr("It was not opened: its key file does not work."), first),
            *_unread(),
        )
    return (_key_file(vault), _keyring(vault), *data, *_screen())


def _key_file(vault: VaultDescription) -> Check:
    if vault.problem is not None:
        return _broken("key_file", vault.problem)
    if not vault.set_up:
        return Check("key_file", Health.UNUSED, tr("There is none yet; it is made with the first data."))
    return Check("key_file", Health.WORKS, tr("The key file is as it was written."))


def _keyring(vault: VaultDescription) -> Check:
    ways = {slot.kind for slot in vault.slots}
    try:
        keyring = open_keyring(None)
        keyring.get("doctor")  # a locked keyring shows only when it is asked for something
    except KeyringProblem as problem:
        if SlotKind.PASSPHRASE in ways:
            return Check(
                "keyring", Health.UNUSED, tr("No keyring is needed: a passphrase protects this profile.")
            )
        if vault.problem is not None:
            return Check(
                "keyring",
                Health.UNKNOWN,
                tr("None answers; whether this profile needs one stands in its key file."),
                tr("Mend the key file first."),
            )
        return Check("keyring", Health.BROKEN, f"{problem.title}. {problem.cause}", problem.next_step)
    return Check("keyring", Health.WORKS, tr("The keyring answers: {keyring}.", keyring=keyring.backend_id))


def _data(profile: Profile, ask_passphrase: Callable[[], str] | None) -> tuple[Check, ...]:
    if not profile.exists:
        return (
            Check(
                "database",
                Health.UNUSED,
                tr("The profile “{name}” has no data yet.", name=profile.name),
                tr("Set up Powens, then link a bank; or look around with: obdesk demo"),
            ),
            *_unread(),
        )
    try:
        opened = open_profile(profile, ask_passphrase=ask_passphrase)
    except ObdeskError as error:
        return _broken("database", error), *_unread()
    with closing(opened):
        return _database(opened), asyncio.run(_provider(opened)), asyncio.run(_relay(opened))


def _unread() -> tuple[Check, Check]:
    sentence = tr("Its settings are in the database, which was not opened.")
    return Check("provider", Health.UNUSED, sentence), Check("relay", Health.UNUSED, sentence)


def _database(opened: OpenProfile) -> Check:
    try:
        found = opened.store.read_now(health.soundness)
    except ObdeskError as error:
        return _broken("database", error)
    if not found.sound:
        return Check(
            "database",
            Health.BROKEN,
            tr("The database opens, but parts of it are damaged."),
            tr(
                "Nothing was changed. Export what can be read, then go back to a copy: "
                "obdesk backups lists them."
            ),
        )
    sentence = tr(
        "The database is encrypted, opens and is sound: {n} transactions, {size} MB.",
        n=found.transactions,
        size=decimal_text(found.size_bytes / 1_000_000, places=1),
    )
    warning = opened.store.place_warning()
    if warning is not None:
        return Check("database", Health.LIMITED, f"{warning.title}. {warning.cause}", warning.next_step)
    return Check("database", Health.WORKS, sentence)


async def _provider(opened: OpenProfile) -> Check:
    tokens = opened.tokens or DatabaseTokens(opened.store)
    providers = Providers(opened.store, tokens, SystemClock(), random.SystemRandom())
    try:
        provider = await providers.get()
        answers = (await provider.connectors(None), await provider.connections())
    except NotConfiguredError as error:
        return Check(
            "provider",
            Health.UNUSED,
            error.title + ".",
            tr("Run: {command}", command="obdesk configure powens"),
        )
    except ObdeskError as error:
        return _broken("provider", error)
    finally:
        await providers.aclose()
    for answer in answers:
        if not isinstance(answer, Fetched):
            return _refused(answer)
    banks, links = (len(answer.value) for answer in answers if isinstance(answer, Fetched))
    return Check(
        "provider",
        Health.WORKS,
        tr("Powens answers: {banks} banks can be linked, {links} are.", banks=banks, links=links),
    )


async def _relay(opened: OpenProfile) -> Check:
    """Ask the relay whether it is well, without taking anything out of the mailbox."""
    from obdesk.relay.client import Failed

    tokens = opened.tokens or DatabaseTokens(opened.store)
    pairings = Pairings(opened.store, tokens, SystemClock())
    meanwhile = tr("Your banks are checked by the schedule meanwhile.")
    try:
        device = await pairings.device()
    except ObdeskError as error:
        return Check("relay", Health.LIMITED, f"{error.title}. {error.cause}", error.next_step)
    cursor = await opened.store.read(mailbox.cursor)
    if device is None or cursor is None:
        sentence = tr("No relay is set up: your banks are checked by the schedule.")
        return Check("relay", Health.UNUSED, sentence)
    client = await pairings.client(device.url)
    answer = await client.pull(device.credentials.token, cursor, wait_s=0, limit=1)
    await client.aclose()
    host = urlsplit(device.url).netloc
    if isinstance(answer, Failed):
        told = trouble_text(answer.trouble)
        return Check("relay", Health.LIMITED, f"{tr(told.title)}. {tr(told.cause, host=host)}", meanwhile)
    known = await StoreReads(opened.store, SystemClock()).relay()
    if known is not None and known.bearer_seen_at is not None:
        seen = token_seen(known, known.bearer_seen_at)
        command = tr("Run: {command}", command="obdesk configure relay --replace-token")
        return Check("relay", Health.BROKEN, f"{seen.title}. {seen.cause}", f"{seen.next_step} {command}")
    return Check("relay", Health.WORKS, tr("The relay answers: {host}.", host=host))


def _refused(failure: Failure) -> Check:
    told = explain(failure.condition, tr("The aggregator"))
    return Check("provider", Health.BROKEN, f"{told.title}. {told.cause}", told.next_step)


def _broken(name: str, error: ObdeskError) -> Check:
    return Check(name, Health.BROKEN, f"{error.title}. {error.cause}", error.next_step)


def _screen() -> tuple[Check, Check]:
    found = _probed()
    return _webview(found), _tray(found)


def _probed() -> dict[str, Any]:
    """Return what the probe wrote, line by line, before it ended or was ended."""
    try:
        run = subprocess.run(  # noqa: S603 - our own interpreter and module
            [sys.executable, "-m", _PROBE],
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=PROBE_S,
            check=False,
        )
        written = run.stdout
    except subprocess.TimeoutExpired as expired:
        written = expired.stdout or b""
    found: dict[str, Any] = {}
    for line in written.splitlines():
        try:
            found |= json.loads(line)
        except ValueError:  # a library's own remark
            continue
    return found


def _webview(found: dict[str, Any]) -> Check:
    if not found.get("screen"):
        return _no_screen("webview")
    if reason := found.get("webview_refused"):
        return Check("webview", Health.LIMITED, str(reason), _in_browser())
    if not found.get("webview"):
        return Check("webview", Health.LIMITED, tr("The embedded page does not start here."), _in_browser())
    return Check("webview", Health.WORKS, tr("The embedded page works: {engine}.", engine=found["webview"]))


def _tray(found: dict[str, Any]) -> Check:
    if not found.get("screen"):
        return _no_screen("tray")
    if not found.get("tray"):
        return Check(
            "tray",
            Health.LIMITED,
            tr("This desktop shows no tray, so closing the window ends the program."),
            tr("On GNOME, the extension “AppIndicator and KStatusNotifierItem Support” brings one."),
        )
    return Check("tray", Health.WORKS, tr("The desktop has a tray."))


def _no_screen(name: str) -> Check:
    return Check(
        name,
        Health.LIMITED,
        tr("No screen can be reached from here."),
        tr("Start obdesk on the desktop; every command works without one."),
    )


def _in_browser() -> str:
    return tr("Banks are linked in your own browser instead: obdesk link")
