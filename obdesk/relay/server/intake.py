"""From a body as it came to what it says, if it is the aggregator's: the part that needs no network."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from obdesk.relay.server import bodies, signature
from obdesk.relay.server.payload import Facts, facts_of
from obdesk.relay.server.store import Gzip

if TYPE_CHECKING:
    from starlette.types import Scope

    from obdesk.relay.server.signature import Signer

_HEADER_MAX: Final = 128
"""A signature has 44 characters, a date less than 40."""


class BadEncodingError(Exception):
    """The body is compressed in a way that the source does not take."""


class BadSignatureError(Exception):
    """The body is not the aggregator's."""


class Proof(NamedTuple):
    """What the headers say of a delivery."""

    date: str
    signature: str
    is_gzip: bool


def proof_of(scope: Scope, gzip: Gzip) -> Proof | None:
    """Return what the headers say; None without a signature; raises BadEncodingError."""
    date = given = b""
    is_gzip = False
    for name, value in scope["headers"]:
        if name == b"bi-signature":
            given = value
        elif name == b"bi-signature-date":
            date = value
        elif name == b"content-encoding" and value.lower() not in {b"", b"identity"}:
            if is_gzip or value.lower() != b"gzip" or gzip is Gzip.OFF:
                raise BadEncodingError
            is_gzip = True
    if not date or not given or len(date) > _HEADER_MAX or len(given) > _HEADER_MAX:
        return None
    return Proof(date.decode("latin-1"), given.decode("latin-1"), is_gzip)


@dataclass(frozen=True, slots=True)
class Examiner:
    """Tells what a body says, under the conditions of one delivery."""

    signers: tuple[Signer, ...]
    path: str
    event: str
    proof: Proof
    gzip: Gzip
    bytes_max: int

    def __call__(self, body: bytes, share: bodies.Share) -> Facts:
        """Return what a body says; raises BadSignatureError, and what `bodies.inflated` does."""
        if not self.proof.is_gzip:
            self._check(body)
            return facts_of(self.event, body)
        if self.gzip is Gzip.SIGNED_COMPRESSED:
            self._check(body)
            plain = bodies.inflated(body, bytes_max=self.bytes_max, share=share)
        else:
            plain = bodies.inflated(body, bytes_max=self.bytes_max, share=share)
            self._check(plain)
        return facts_of(self.event, plain)

    def _check(self, body: bytes) -> None:
        if not signature.is_signed(self.signers, self.path, self.proof.date, self.proof.signature, body):
            raise BadSignatureError
