"""Whoever knows every address, has heard every delivery, and lacks the secret.

Where a secret is used below it is to sign what may not be taken all the same: a wrong date, another path.
"""

from __future__ import annotations

import base64
import gzip
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from obdesk.relay.protocol import EVENTS
from obdesk.relay.server.signature import Signer
from tests.relay.server.kit import SECRET, connection_synced, dated

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

MINUTE_US: Final = 60 * 1_000_000
DAY_US: Final = 24 * 60 * MINUTE_US


@dataclass(frozen=True, slots=True)
class Sent:
    """One request to a hook."""

    method: str
    path: str
    raw_path: bytes
    query: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


def posted(path: str, body: bytes, date: str, signature: bytes) -> Sent:
    """Return a delivery with a signature, whatever it is."""
    headers = (
        (b"host", b"relay.example"),
        (b"user-agent", b"Budgea API/2.0"),
        (b"content-type", b"application/json; charset=utf-8"),
        (b"content-length", str(len(body)).encode()),
        (b"bi-signature-date", date.encode("latin-1", "replace")),
        (b"bi-signature", signature),
    )
    return Sent("POST", path, path.encode(), b"", headers, body)


def genuine(path: str, body: bytes, time_us: int, secret: str = SECRET) -> Sent:
    """Return a delivery as the aggregator makes it."""
    date = dated(time_us)
    return posted(path, body, date, Signer(secret.encode()).sign(path, date, body))


@dataclass(frozen=True)
class Forger:
    """Makes requests of which none may be taken."""

    rng: Random
    paths: tuple[str, ...]
    """The addresses, each of a source with the same secret, which makes them easier to confuse."""
    heard: tuple[Sent, ...]
    """Deliveries that were taken before."""
    now_us: int

    def make(self) -> tuple[str, Sent]:
        """Return one request, and of which kind it is."""
        kind = self.rng.choice(KINDS)
        return kind.__name__, kind(self)

    def body(self) -> bytes:
        """Return a body as the aggregator might send it."""
        payload = self.rng.randrange(10**9) + 10**9 if self.rng.random() < 0.7 else None
        return connection_synced(self.rng.randrange(500), self.rng.randrange(9), payload)

    def path(self) -> str:
        """Return an address."""
        return self.rng.choice(self.paths)

    def one_heard(self) -> Sent:
        """Return a delivery that was taken."""
        return self.rng.choice(self.heard)


def forged(forger: Forger) -> Sent:
    """Sign with what is not the secret."""
    rng, path, body, date = forger.rng, forger.path(), forger.body(), dated(forger.now_us)
    guess = rng.choice((b"", b"secret", SECRET[:-1].encode(), SECRET.upper().encode(), rng.randbytes(16)))
    signature = Signer(guess).sign(path, date, body)
    other = base64.b64encode(rng.randbytes(rng.choice((0, 16, 31, 32, 33))))
    text = rng.choice(
        (signature, other, b"", b"=" * 44, b"null", signature.hex().encode(), rng.randbytes(44))
    )
    return posted(path, body, date, text)


def of_another_body(forger: Forger) -> Sent:
    """Put a heard signature on another body."""
    return replace(forger.one_heard(), body=forger.body())


def spoilt_body(forger: Forger) -> Sent:
    """Change a heard body a little."""
    rng, sent = forger.rng, forger.one_heard()
    body = bytearray(sent.body)
    match rng.randrange(6):
        case 0:
            body[rng.randrange(len(body))] ^= 1 << rng.randrange(8)
        case 1:
            body += rng.choice((b" ", b"\n", b"\0", b"x"))
        case 2:
            del body[rng.randrange(len(body)) :]
        case 3:
            body[:0] = rng.choice((b" ", b"\xef\xbb\xbf", b"\r\n"))
        case 4:
            body = bytearray(bytes(body).replace(b": ", b":"))
        case _:
            body = bytearray(gzip.compress(bytes(body), 1, mtime=0))
    return replace(sent, body=bytes(body))


def spoilt_headers(forger: Forger) -> Sent:
    """Change a heard date or signature a little."""
    rng, sent = forger.rng, forger.one_heard()
    headers = dict(sent.headers)
    name = rng.choice((b"bi-signature", b"bi-signature-date"))
    value = bytearray(headers[name])
    match rng.randrange(5):
        case 0:
            value[rng.randrange(len(value))] ^= 1 << rng.randrange(7)
        case 1:
            del value[rng.randrange(len(value)) :]
        case 2:
            value += rng.choice((b" ", b"=", b"A", b"Z", b"\t"))
        case 3:
            value = value.swapcase()
        case _:
            value = bytearray(base64.urlsafe_b64encode(bytes(value)))
    headers[name] = bytes(value)
    if bytes(value) == dict(sent.headers)[name]:
        headers[name] += b"!"
    return replace(sent, headers=tuple(headers.items()))


def with_less(forger: Forger) -> Sent:
    """Leave out a heard header, and maybe bring a token instead."""
    sent = forger.one_heard()
    missing = forger.rng.choice((b"bi-signature", b"bi-signature-date"))
    kept = tuple(each for each in sent.headers if each[0] != missing)
    bearer = ((b"authorization", b"Bearer live"),) if forger.rng.random() < 0.5 else ()
    return replace(sent, headers=kept + bearer, body=forger.body())


def repeated(forger: Forger) -> Sent:
    """Send again what was heard, to the bit."""
    return forger.one_heard()


def redated(forger: Forger) -> Sent:
    """Send what was heard under a date of now."""
    sent = forger.one_heard()
    headers = dict(sent.headers)
    headers[b"bi-signature-date"] = dated(forger.now_us).encode()
    return replace(sent, headers=tuple(headers.items()))


def wrongly_dated(forger: Forger) -> Sent:
    """Send what was truly signed, at another time."""
    rng, path = forger.rng, forger.path()
    if rng.random() < 0.5:
        body = connection_synced(rng.randrange(500), rng.randrange(9), rng.randrange(10**9))
        age_us = rng.choice((-6 * MINUTE_US, -DAY_US, 30 * DAY_US, 400 * DAY_US))
    else:
        body = connection_synced(rng.randrange(500), rng.randrange(9))
        age_us = rng.choice((-6 * MINUTE_US, 6 * MINUTE_US, DAY_US, 29 * DAY_US))
    return genuine(path, body, forger.now_us - age_us)


def oddly_dated(forger: Forger) -> Sent:
    """Sign truly over what is no date."""
    rng, path, body = forger.rng, forger.path(), forger.body()
    odd = rng.choice(("", "now", "0", "2026-02-30T00:00:00Z", dated(forger.now_us)[:-1] + "+02:00", "\xa0"))
    return posted(path, body, odd, Signer(SECRET.encode()).sign(path, odd, body))


def wrongly_addressed(forger: Forger) -> Sent:
    """Send what was truly signed for one address to another."""
    rng, sent = forger.rng, genuine(forger.path(), forger.body(), forger.now_us)
    path = sent.path
    capability, event = path.split("/")[3:]
    others = (
        rng.choice([each for each in forger.paths if each != path]),
        path.replace(event, rng.choice([each for each in EVENTS if each != event])),
        path.replace(event, event.lower()),
        path.replace(capability, capability.swapcase()),
        path.replace(capability, capability[:-1]),
        f"{path}/",
        f"{path}%00",
        f"/{path}",
        path.replace("/v1/", "/v2/"),
        path.replace("/hooks/", "/hooks/../hooks/"),
        f"/v1/hooks/{event}/{capability}",
        "/v1/hooks/",
    )
    other = rng.choice(others)
    return replace(sent, path=other, raw_path=other.encode())


def signed_for_a_false_path(forger: Forger) -> Sent:
    """Sign truly over a path that is not the one it is sent to, or is sent to in another spelling."""
    rng, path, body = forger.rng, forger.path(), forger.body()
    sent = genuine(path, body, forger.now_us)
    match rng.randrange(3):
        case 0:
            return replace(sent, query=rng.choice((b"a=1", b"x", b"event=USER_CREATED")))
        case 1:
            return replace(sent, raw_path=path.replace("_", "%5F", 1).encode())
        case _:
            false = rng.choice((f"{path}/", f"{path}?a=1", "/", path.lower(), f"https://relay.example{path}"))
            date = dated(forger.now_us)
            return posted(path, body, date, Signer(SECRET.encode()).sign(false, date, body))


def by_another_method(forger: Forger) -> Sent:
    """Send what was truly signed, by another method."""
    sent = genuine(forger.path(), forger.body(), forger.now_us)
    return replace(
        sent, method=forger.rng.choice(("GET", "PUT", "PATCH", "DELETE", "OPTIONS", "HEAD", "post"))
    )


def packed(forger: Forger) -> Sent:
    """Say of what was truly signed that it is compressed, where the source takes nothing compressed."""
    body = gzip.compress(forger.body(), 1, mtime=0)
    sent = genuine(forger.path(), body, forger.now_us)
    return replace(
        sent, headers=(*sent.headers, (b"content-encoding", forger.rng.choice((b"gzip", b"br", b"x"))))
    )


KINDS: Final[tuple[Callable[[Forger], Sent], ...]] = (
    forged,
    of_another_body,
    spoilt_body,
    spoilt_headers,
    with_less,
    repeated,
    redated,
    wrongly_dated,
    oddly_dated,
    wrongly_addressed,
    signed_for_a_false_path,
    by_another_method,
    packed,
)
