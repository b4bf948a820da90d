"""This computer as a device of a relay: becoming one, proving to be one, and leaving.

What it proves itself with lies in the token store as one entry, under a name that belongs to the relay's
address: no token ever reaches another host. The libraries are imported once there is a relay.
"""

from __future__ import annotations

import asyncio
import hashlib
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from obdesk.app.settings import stored
from obdesk.domain.addresses import shown
from obdesk.domain.errors import Action, AppError
from obdesk.domain.mailbox import Trouble, exposure, trouble_text
from obdesk.domain.texts import tr
from obdesk.storage.queries import connections
from obdesk.storage.writes import edits, mailbox

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.clock import Clock
    from obdesk.domain.mailbox import MailboxStatus
    from obdesk.relay.client import Failed, RelayClient
    from obdesk.relay.protocol import Paired
    from obdesk.secrets.tokens import TokenStore
    from obdesk.storage.engine import Connection
    from obdesk.storage.store import Store
    from obdesk.storage.tx import Tx

URL_KEY = "relay.url"
CODE_LENGTH_MAX = 200
_PAIRING = "relay/pairing"
"""Under what the key of a pairing lies that has not succeeded yet."""


class RelayAddressError(AppError):
    """The address of a relay cannot be used."""


class RelayCodeError(AppError):
    """What was given is no pairing code."""


class RelayAnswerError(AppError):
    """The relay did not do what a person asked for."""


class CredentialsLostError(AppError):
    """What this computer proves itself with is gone or cannot be read."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """What this computer proves itself with to one relay, and opens its hints with."""

    token: str = field(repr=False)
    ticket: str = field(repr=False)
    private_key: str = field(repr=False)
    """32 bytes of base64url; it leaves the token store for this process only."""
    is_shared: bool = False
    offers_users: bool = False
    is_proved: bool = False
    """A shared relay knows which user of the aggregator this is."""


@dataclass(frozen=True, slots=True)
class Device:
    """This computer as the relay at an address knows it."""

    url: str
    credentials: Credentials

    @property
    def private_key(self) -> bytes:
        """Return the key that opens its hints."""
        from obdesk.relay.protocol import from_text

        return from_text(self.credentials.private_key)


class Pairings:
    """The one relay of a profile, and what is kept of it."""

    def __init__(self, store: Store, tokens: TokenStore, clock: Clock) -> None:
        self._store = store
        self._tokens = tokens
        self._clock = clock

    async def client(self, url: str) -> RelayClient:
        """Return a client of the relay at an address; whoever asked closes it."""
        return await asyncio.to_thread(self._built, url)

    def _built(self, url: str) -> RelayClient:
        from obdesk.relay.client import RelayClient

        return RelayClient(url)

    async def device(self) -> Device | None:
        """Return this computer as a device, None where no relay is set up.

        Raises CredentialsLostError and what the token store raises.
        """
        url = await self._store.read(_url)
        if not url:
            return None
        text = await asyncio.to_thread(self._tokens.get, _name(url))
        return Device(url, _credentials_of(text, url))

    async def pair(self, address: str, code: str) -> Device:
        """Become a device with an operator's one-time code, in place of one of an earlier relay."""
        from nacl.public import PrivateKey

        from obdesk.relay.client import Failed, usable_url
        from obdesk.relay.protocol import Pairing, from_text, to_text

        url, code = usable_url(address), code.strip()
        if url is None:
            raise _unusable(address)
        if not 0 < len(code) <= CODE_LENGTH_MAX or not (code.isascii() and code.isprintable()):
            raise _no_code()
        private_key = await asyncio.to_thread(self._key_to_pair_with, url, code)
        public_key = to_text(bytes(PrivateKey(from_text(private_key)).public_key))
        client = await self.client(url)
        try:
            answer = await client.pair(Pairing(public_key, code=code))
        finally:
            await client.aclose()
        if isinstance(answer, Failed):
            # Only a code can be wrong here: nobody is known yet.
            refused = answer.trouble is Trouble.REFUSED
            raise relay_failed(Failed(Trouble.UNKNOWN) if refused else answer, url)
        await self._leave_quietly()
        device = Device(url, _given(answer, private_key))
        await self._keep(device)
        now, cursor = self._clock.now(), answer.cursor

        def begin(tx: Tx) -> None:
            edits.set_setting(tx, URL_KEY, url)
            mailbox.begin(tx, cursor, now, url)

        await self._store.write(begin)
        await asyncio.to_thread(self._tokens.delete, _PAIRING)
        return device

    def _key_to_pair_with(self, url: str, code: str) -> str:
        """Return the private key that a code was tried with before, or a new one.

        The answer to that try may have been lost: a code is good once, but again for the same key.
        """
        from nacl.public import PrivateKey

        from obdesk.relay.protocol import to_text

        told = hashlib.sha256(f"{url} {code}".encode()).hexdigest()
        tried, _, kept = (self._tokens.get(_PAIRING) or "").partition(" ")
        if tried == told:
            return kept
        made = to_text(bytes(PrivateKey.generate()))
        self._tokens.put(_PAIRING, f"{told} {made}")
        return made

    async def announce(
        self, client: RelayClient, device: Device, user_code: str | None = None
    ) -> tuple[Device, str] | Failed:
        """Tell the relay who this is, after it lost its store or to prove a user; return the new cursor too.

        The key pair stays. What waited there is dropped, so that anything may have been missed.
        """
        from nacl.public import PrivateKey

        from obdesk.relay.client import Failed
        from obdesk.relay.protocol import Pairing, to_text

        public_key = to_text(bytes(PrivateKey(device.private_key).public_key))
        wish = Pairing(public_key, ticket=device.credentials.ticket, user_code=user_code)
        answer = await client.pair(wish)
        if isinstance(answer, Failed):
            return answer
        given = _given(answer, device.credentials.private_key)
        proved = user_code is not None or device.credentials.is_proved
        again = replace(device, credentials=replace(given, is_proved=proved))
        await self._keep(again)
        return again, answer.cursor

    async def keep_ticket(self, device: Device, ticket: str) -> None:
        """Keep the ticket that remembers the user whom the relay's operator made for this computer."""
        given = replace(device.credentials, ticket=ticket, is_proved=True)
        await self._keep(replace(device, credentials=given))

    async def leave(self) -> bool:
        """Forget the relay, and have it forget this computer; tell whether it heard of it."""
        heard = await self._leave_quietly()
        await self._store.write(_forget)
        return heard

    async def _leave_quietly(self) -> bool:
        """Have an earlier relay forget this computer, if it can be reached; forget what was kept for it."""
        try:
            device = await self.device()
        except AppError:
            return False
        if device is None:
            return True
        client = await self.client(device.url)
        try:
            failed = await client.leave(device.credentials.token)
        finally:
            await client.aclose()
        await asyncio.to_thread(self._tokens.delete, _name(device.url))
        return failed is None or failed.trouble is Trouble.UNKNOWN

    async def _keep(self, device: Device) -> None:
        import msgspec

        text = msgspec.json.encode(device.credentials).decode()
        await asyncio.to_thread(self._tokens.put, _name(device.url), text)


class TokenSeenError(AppError):
    """The aggregator sent a live token through the relay."""


def token_seen(status: MailboxStatus, seen_at: datetime) -> TokenSeenError:
    """Return the one alarm that a relay can raise."""
    told = exposure(status, seen_at.astimezone().strftime("%Y-%m-%d %H:%M"))
    return TokenSeenError(
        title=told.title, cause=told.cause, next_step=told.next_step, action=Action.SHOW_RELAY
    )


def relay_failed(failed: Failed, url: str) -> RelayAnswerError:
    """Return the error for a person who asked for something that the relay did not do."""
    told = trouble_text(failed.trouble)
    return RelayAnswerError(
        title=tr(told.title),
        cause=tr(told.cause, host=urlsplit(url).netloc),
        next_step=tr("Nothing was changed here. Your banks are checked by the schedule in any case."),
        action=told.action,
    )


def _given(answer: Paired, private_key: str) -> Credentials:
    return Credentials(answer.token, answer.ticket, private_key, answer.is_shared, answer.offers_users)


def _name(url: str) -> str:
    return f"relay/device/{hashlib.sha256(url.encode()).hexdigest()[:16]}"


def _credentials_of(text: str | None, url: str) -> Credentials:
    import msgspec

    from obdesk.relay.protocol import from_text

    try:
        found = msgspec.json.decode(text or "", type=Credentials)
        if len(from_text(found.private_key)) == 32:
            return found
    except (ValueError, RecursionError):
        pass
    raise CredentialsLostError(
        title=tr("This computer cannot prove itself to the relay"),
        cause=tr("What it was given by {host} is not here any more.", host=urlsplit(url).netloc),
        next_step=tr("Your banks are checked by the schedule. Pair again with a new code."),
        action=Action.SHOW_RELAY,
    )


def _url(opened: Connection) -> str:
    return stored(URL_KEY, connections.setting(opened, URL_KEY))


def _forget(tx: Tx) -> None:
    edits.set_setting(tx, URL_KEY, "")
    mailbox.forget(tx)


def _unusable(address: str) -> RelayAddressError:
    return RelayAddressError(
        title=tr("{what} cannot be used", what=tr("The address of the relay")),
        cause=tr(
            "It reads “{value}”. {hint}",
            value=shown(address),
            hint=tr("It looks like https://relay.example.org, with nothing after a question mark or #."),
        ),
        next_step=tr("Nothing was sent. Ask the operator of the relay for its address."),
        action=Action.RETRY,
    )


def _no_code() -> RelayCodeError:
    return RelayCodeError(
        title=tr("This is no pairing code"),
        cause=tr("A code is one short line of letters, digits and dashes."),
        next_step=tr("Nothing was sent. Ask the operator of the relay for a new one."),
        action=Action.RETRY,
    )
