"""Every refusal as a document for a person: application/problem+json (RFC 9457), with a sentence.

What does not exist, what is somebody else's and what was asked in a wrong way are one answer, to the byte:
an answer must not tell which of them it was.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

import msgspec
from starlette.responses import Response

from obdesk.relay.protocol import Problem

if TYPE_CHECKING:
    from starlette.requests import Request

MEDIA_TYPE: Final = "application/problem+json"
STORE_RETRY_S: Final = 5
"""When to come again after the store did not answer: soon, for what was sent is not kept anywhere."""


_KEY_RETRY_S: Final = 60
"""A wrong key waits for a person."""


class ProblemError(Exception):
    """A request is refused; carries the answer."""

    def __init__(self, answer: Response) -> None:
        super().__init__()
        self.answer = answer


def problem(status: int, title: str, detail: str, *, retry_after_s: float | None = None) -> Response:
    """Return the answer of a refusal; `retry_after_s` is rounded up to whole seconds."""
    headers = None if retry_after_s is None else {"Retry-After": str(max(1, math.ceil(retry_after_s)))}
    told = msgspec.json.encode(Problem(title, status, detail))
    return Response(told, status, headers, MEDIA_TYPE)


def limited(retry_after_s: float) -> Response:
    """Return the answer to who asks too often."""
    return problem(
        429,
        "Too many requests",
        "More was asked than is allowed. Wait as long as Retry-After says, then try again.",
        retry_after_s=retry_after_s,
    )


NOT_FOUND: Final = problem(
    404,
    "Not found",
    "There is nothing here, or nothing that is yours. Check the address, the method and the token.",
)
REMOVED: Final = problem(
    410, "Removed", "This source was removed by its operator. Delete the webhook at the aggregator."
)
UNSIGNED: Final = problem(
    401,
    "Signature missing",
    "A delivery needs the headers BI-Signature and BI-Signature-Date. Set up an authentication provider of"
    " the type hmac_signature at the aggregator and link it to this webhook.",
)
BEARER: Final = problem(
    401,
    "A token instead of a signature",
    "The aggregator sent a user's live token and no signature. Link the webhook to an authentication"
    " provider of the type hmac_signature, then revoke the token.",
)
BAD_SIGNATURE: Final = problem(
    401,
    "Signature wrong",
    "The signature does not belong to this address, date and body. Check that the source has the secret of"
    " the authentication provider, and that no proxy changes the path or the body.",
)
STALE: Final = problem(
    401,
    "Date out of bounds",
    "The delivery was signed too long before or after now. Check the clocks of both sides.",
)
BAD_ENCODING: Final = problem(
    415,
    "Encoding not accepted",
    "This source takes bodies as they are. Turn off compression at the aggregator, or make the source again"
    " with --gzip.",
)
TOO_LARGE: Final = problem(
    413, "Body too large", "The body is larger than this relay takes. Nothing of it was kept."
)
TOO_SLOW: Final = problem(
    408, "Body too slow", "The body took longer to arrive than this relay waits. Nothing of it was kept."
)
MALFORMED: Final = problem(
    400, "Not understood", "The request is not what is expected here; see /openapi.json."
)
STORE_DOWN: Final = problem(
    503,
    "The store does not answer",
    "What was sent could not be kept. Send it again after a while.",
    retry_after_s=STORE_RETRY_S,
)
WRONG_KEY: Final = problem(
    503,
    "Another key",
    "This relay cannot read what another one keeps in the same store. Its operator finds the reason in the"
    " log. Send it again after a while.",
    retry_after_s=_KEY_RETRY_S,
)
BUSY: Final = problem(
    503,
    "Too much at once",
    "This relay holds as much as it can at the moment. Send it again after a while.",
    retry_after_s=STORE_RETRY_S,
)
FAILED: Final = problem(
    500, "An error of ours", "The relay failed. Its operator finds where in the log. Try again later."
)
NOT_HTTP: Final = problem(400, "Not HTTP", "What was sent is not an HTTP request that can be read.")
HEAD_TOO_LARGE: Final = problem(431, "Headers too large", "The request's headers are larger than allowed.")
HEAD_TOO_SLOW: Final = problem(408, "Headers too slow", "The request's headers took too long to arrive.")


async def refused(request: Request, error: Exception) -> Response:
    """Answer a refusal raised by a handler."""
    del request
    return error.answer if isinstance(error, ProblemError) else FAILED


async def store_down(request: Request, error: Exception) -> Response:
    """Answer while the store does not."""
    del request, error
    return STORE_DOWN


async def wrong_key(request: Request, error: Exception) -> Response:
    """Answer where what is kept was locked with another key."""
    del request, error
    return WRONG_KEY
