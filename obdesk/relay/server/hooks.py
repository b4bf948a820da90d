"""Where the aggregator delivers: one address for each event of each source.

In this order: is there such an address, does the sender keep to its rate, the body within its bounds, the
signature, the date. Only then is the body looked at. The answer is given when the hints are durable.
"""

from __future__ import annotations

import asyncio
import logging
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from starlette.responses import Response

from obdesk.relay.protocol import EVENTS
from obdesk.relay.server import bodies, problems, signature
from obdesk.relay.server.asking import Spent
from obdesk.relay.server.deadlines import Deadlines
from obdesk.relay.server.delivery import Delivery
from obdesk.relay.server.intake import BadEncodingError, BadSignatureError, Examiner, Proof, proof_of
from obdesk.relay.server.keys import BadKeyError, hashed
from obdesk.relay.server.limits import Buckets
from obdesk.relay.server.lines import Lines, LineTooLongError
from obdesk.relay.server.logs import fields
from obdesk.relay.server.metrics import Fate, Route
from obdesk.relay.server.middleware import carried_bearer
from obdesk.relay.server.signature import Age, Signer
from obdesk.relay.server.store import StoreDownError

if TYPE_CHECKING:
    from starlette.types import Receive, Scope, Send

    from obdesk.relay.server.context import Context
    from obdesk.relay.server.payload import Facts
    from obdesk.relay.server.store import Source

_KNOWN: Final = frozenset(EVENTS)
_LARGE: Final = 256 * 1024
"""Larger bodies are examined beside the loop, which others wait for; so are small ones that unpack."""
_AT_ONCE: Final = 64
"""So many deliveries of one source are kept at a time; more wait in a line, and other sources' pass them."""
_LINE_MAX: Final = 1_024
_LINE_S: Final = 1.0
_BY_ITS_HEAD: Final = "head"
"""Marks what the head alone refuses, so that it never holds up what is signed and from the same network."""
_BEARER_AGAIN_US: Final = 60 * 1_000_000
_ROOMS: Final = 16
"""So many of the largest bodies fit in memory at once; one source may fill a quarter."""
ACCEPTED: Final = Response(b"{}", 200, media_type="application/json")

_log = logging.getLogger(__name__)


class _RefusedError(Exception):
    """The delivery is not taken."""

    def __init__(self, fate: Fate, answer: Response) -> None:
        super().__init__()
        self.fate, self.answer = fate, answer


def _limited(wait_s: float) -> _RefusedError:
    return _RefusedError(Fate.LIMITED, problems.limited(wait_s))


_REFUSALS: Final[dict[type[Exception], tuple[Fate, Response]]] = {
    BadSignatureError: (Fate.SIGNATURE, problems.BAD_SIGNATURE),
    bodies.BodyTooLargeError: (Fate.TOO_LARGE, problems.TOO_LARGE),
    bodies.BodyTooSlowError: (Fate.TOO_SLOW, problems.TOO_SLOW),
    bodies.NoRoomError: (Fate.LIMITED, problems.BUSY),
    bodies.GreedyError: (Fate.LIMITED, problems.BUSY),
    bodies.NotGzipError: (Fate.MALFORMED, problems.MALFORMED),
}


class Hooks:
    """The endpoint, as an ASGI application: at this pace every layer counts."""

    def __init__(self, context: Context) -> None:
        self._context, self._delivery = context, Delivery(context)
        self._body_deadlines = Deadlines(context.settings.body_s)
        self._deliveries = Buckets(context.settings.deliveries, context.now_s)
        self._lines = Lines(_AT_ONCE, _LINE_MAX)
        self._bytes_max = context.settings.body_kib * 1024
        self._room = bodies.Room(_ROOMS * self._bytes_max, _ROOMS // 4 * self._bytes_max)
        self._has_told_key = False
        self._signer = lru_cache(maxsize=1_024)(self._unlocked)

    def _unlocked(self, locked: bytes) -> Signer:
        """Return who checks signatures by a secret; a worker with another key than the others' has none."""
        try:
            return Signer(self._context.keys.unlock(locked))
        except BadKeyError:
            if not self._has_told_key:
                self._has_told_key = True
                _log.warning("another relay keeps what this one's key file does not open: give both the same")
            raise

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one delivery."""
        try:
            fate, answer = await self._taken(scope, receive), ACCEPTED
        except _RefusedError as refused:
            fate, answer = refused.fate, refused.answer
        except StoreDownError:
            fate, answer = Fate.STORE_DOWN, problems.STORE_DOWN
        except BadKeyError:
            fate, answer = Fate.WRONG_KEY, problems.WRONG_KEY
        except bodies.SenderGoneError:
            self._context.metrics.delivered(Fate.TOO_SLOW)
            return
        self._context.metrics.delivered(fate)
        await answer(scope, receive, send)

    async def _taken(self, scope: Scope, receive: Receive) -> Fate:
        """Take a delivery and return what became of it, which is durable then."""
        path = scope["path"]
        capability, event = signature.parts_of(path)
        is_plain = scope.get("raw_path") == path.encode() and not scope["query_string"]
        if scope["method"] != "POST" or event not in _KNOWN or not is_plain:
            raise self._unknown(scope)
        spent = Spent()
        with spent:
            source = await self._context.known.source_of(hashed(capability))
        if source is None:
            raise self._unknown(scope)
        if source.removed_at_us is not None:
            raise self._unread(scope, source, Fate.GONE, problems.REMOVED)
        try:
            facts, payload = await self._read(scope, receive, source, event, path)
        finally:
            with spent:
                await self._tell_bearer(scope, source)
        kept = self._kept(source, event, facts, payload)
        # One limit for all that was asked of the store: the sender waits for the whole of it.
        return await self._context.patience.wait(kept, spent.seconds)

    async def _kept(self, source: Source, event: str, facts: Facts, payload: bytes) -> Fate:
        try:
            async with self._lines.of(source.id):
                return await self._delivery.keep(source, event, facts, payload)
        except LineTooLongError as error:
            raise _limited(_LINE_S) from error

    def _unknown(self, scope: Scope) -> _RefusedError:
        """Return the refusal of an address that there is not; who guesses too often is told to wait."""
        answer = self._context.nothing(scope)
        fate = Fate.UNKNOWN if answer is problems.NOT_FOUND else Fate.LIMITED
        return _RefusedError(fate, answer)

    def _unread(self, scope: Scope, source: Source, fate: Fate, answer: Response) -> _RefusedError:
        """Return the refusal of what is not read; who sends much of it is told to wait with that."""
        asker = (source.id, self._context.addresses.asker(scope), _BY_ITS_HEAD)
        wait_s = self._context.failures.ask(asker)
        return _limited(wait_s) if wait_s else _RefusedError(fate, answer)

    async def _tell_bearer(self, scope: Scope, source: Source) -> None:
        """Keep that a live token was sent, at most once a minute."""
        if not carried_bearer(scope):
            return
        self._context.metrics.bearers.inc()
        now_us, seen_us = self._context.clock_us(), source.bearer_seen_at_us
        if seen_us is not None and now_us - seen_us < _BEARER_AGAIN_US:
            return
        _log.warning("the aggregator sent a user's live token", extra=fields(route=Route.HOOK))
        await self._context.patience.wait(self._context.store.saw_bearer(source.id, now_us))

    async def _read(
        self, scope: Scope, receive: Receive, source: Source, event: str, path: str
    ) -> tuple[Facts, bytes]:
        """Return what a delivery says and by what it is known again; refuse what is not the aggregator's."""
        try:
            proof = proof_of(scope, source.gzip)
        except BadEncodingError as error:
            raise self._unread(scope, source, Fate.GZIP, problems.BAD_ENCODING) from error
        if proof is None:
            is_bearer = carried_bearer(scope)
            fate = Fate.BEARER if is_bearer else Fate.UNSIGNED
            raise self._unread(scope, source, fate, problems.BEARER if is_bearer else problems.UNSIGNED)
        sender = self._context.addresses.asker(scope)
        asker = (source.id, sender)
        wait_s = max(self._context.failures.wait_s(asker), self._deliveries.wait_s(source.id))
        if wait_s:
            raise _limited(wait_s)
        signers = tuple(self._signer(locked) for locked in source.secrets)
        examine = Examiner(signers, path, event, proof, source.gzip, self._bytes_max)
        try:
            with self._room.taken(source.id, sender) as share:
                facts = await self._examined(scope, receive, share, examine)
        except tuple(_REFUSALS) as error:
            # Where others have taken the room, the sender has done nothing.
            if type(error) is not bodies.NoRoomError:
                self._context.failures.take(asker)
            raise _RefusedError(*_REFUSALS[type(error)]) from error
        except bodies.SenderGoneError:
            self._context.failures.take(asker)
            raise
        self._deliveries.take(source.id)
        return facts, self._known_by(source, proof, facts)

    async def _examined(
        self, scope: Scope, receive: Receive, share: bodies.Share, examine: Examiner
    ) -> Facts:
        body = await bodies.body_of(
            scope, receive, bytes_max=self._bytes_max, deadlines=self._body_deadlines, share=share
        )
        if len(body) < _LARGE and not examine.proof.is_gzip:
            return examine(body, share)
        return await asyncio.to_thread(examine, body, share)

    def _known_by(self, source: Source, proof: Proof, facts: Facts) -> bytes:
        """Return the digest by which a second time of a delivery is known; refuses what is too old or new.

        A retry may carry the date of the first try, so an old date is taken from a payload with an id: ids
        are remembered for longer. Without one there is nothing but the date to go by.
        """
        keys = self._context.keys
        date_us = signature.instant_us(proof.date)
        age = Age.OUT if date_us is None else signature.age(date_us, self._context.clock_us())
        if age is Age.OUT or (age is Age.LATE and facts.payload_id is None):
            raise _RefusedError(Fate.STALE, problems.STALE)
        if facts.payload_id is None:
            return keys.signature(source.id, proof.signature)
        return keys.payload(source.id, facts.payload_id)
