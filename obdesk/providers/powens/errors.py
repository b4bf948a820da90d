"""The one place where what goes wrong over HTTP becomes an outcome: codes and positions, never payloads."""

from __future__ import annotations

import re
import socket
import ssl
from dataclasses import dataclass, field
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

import httpx

from obdesk.domain.conditions import Condition, heals_alone, needs_you
from obdesk.domain.errors import causes
from obdesk.domain.outcomes import ActionNeeded, Broken, RetryLater
from obdesk.providers.powens.labels import sentence_of
from obdesk.providers.powens.states import condition_of_code
from obdesk.providers.powens.wire import ErrorWire, Reader

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.outcomes import Failure

RETRY_AFTER_MIN_S = 1.0
RETRY_AFTER_MAX_S = 86_400.0
TIMEOUT_CODE = "timeout"
"""The request was sent and no answer came in time: what it asked for may still be under way."""
_STATUSES_WORTH_A_RETRY = frozenset({429, 502, 503, 504})
_CODE = re.compile(r"[a-z][a-z0-9_.-]{0,39}")
_REQUEST = re.compile(r"[A-Za-z0-9-]{1,40}")
_ERRORS = Reader(ErrorWire)


@dataclass(frozen=True, slots=True)
class Reply:
    """What became of one request: a body, or a failure with what is needed to judge it.

    `status` is 0 when no answer came; `code` is the API's own word, lower-case, empty when it gave none;
    `may_repeat` tells that an idempotent request may be sent again at once.
    """

    status: int = 0
    body: bytes = field(default=b"", repr=False)
    code: str = ""
    failure: Failure | None = None
    may_repeat: bool = False


class AnswerTooLargeError(Exception):
    """The answer passed a size limit while it was read."""


class AnswerTooSlowError(Exception):
    """The answer came in drips; read again at once it would only drip again."""


class UnknownEncodingError(Exception):
    """The answer is packed in a way that was not offered, or the packing is damaged."""


def reply_of_exception(error: Exception) -> Reply:
    """Return what an exception of the HTTP client means."""
    match error:
        case AnswerTooLargeError():
            return Reply(failure=bad_answer("the answer is too large"))
        case AnswerTooSlowError():
            return Reply(failure=RetryLater(Condition.PROVIDER_DOWN, provider_code=TIMEOUT_CODE))
        case UnknownEncodingError():
            return Reply(failure=bad_answer("the answer's content encoding cannot be read"))
        case httpx.ConnectError() | httpx.ConnectTimeout():
            return _reply_of_connect(error)
        case httpx.ReadError() | httpx.WriteError() | httpx.ProxyError():
            return _later(Condition.OFFLINE)
        case TimeoutError() | httpx.ReadTimeout():
            return _later(Condition.PROVIDER_DOWN, TIMEOUT_CODE)
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return Reply(failure=bad_answer("an address cannot be used"))
        case _:
            # Connected, and then silence, nonsense or a reset: the other side's doing.
            return _later(Condition.PROVIDER_DOWN)


def _reply_of_connect(error: httpx.ConnectError | httpx.ConnectTimeout) -> Reply:
    found = list(causes(error))
    if any(isinstance(cause, ssl.SSLError) for cause in found):
        # A certificate that is not trusted is a portal or an eavesdropper; it does not pass by itself.
        untrusted = any(isinstance(cause, ssl.SSLCertVerificationError) for cause in found)
        code = "certificate_refused" if untrusted else "tls_failed"
        return Reply(failure=RetryLater(Condition.OFFLINE, provider_code=code))
    if any(isinstance(cause, ConnectionRefusedError) for cause in found):
        return _later(Condition.PROVIDER_DOWN)
    if any(isinstance(cause, socket.gaierror) for cause in found):
        return _later(Condition.OFFLINE, "name_not_found")
    return _later(Condition.OFFLINE)


def _later(condition: Condition, code: str = "") -> Reply:
    return Reply(failure=RetryLater(condition, provider_code=code), may_repeat=True)


def reply_of_response(status: int, headers: httpx.Headers, body: bytes, now: datetime) -> Reply:
    """Return what an answer means; only JSON is the API's own word.

    A page of HTML comes from a portal, a proxy or the edge of the network. It decides nothing: it can
    neither refuse our token nor confirm that a link is gone.
    """
    kind = headers.get("content-type", "").partition(";")[0].strip().lower()
    is_json = kind == "application/json" or kind.endswith("+json")
    if status < 300:
        if is_json or status == 204 or not body:
            return Reply(status, body)
        if "html" in kind:
            return Reply(status, failure=RetryLater(Condition.OFFLINE, provider_code="captive_portal"))
        return Reply(status, failure=bad_answer("the answer is not JSON"))
    after_s = retry_after_s(headers.get("retry-after"), now)
    if status in _STATUSES_WORTH_A_RETRY:
        busy = status == 429
        failure = RetryLater(
            Condition.PROVIDER_BUSY if busy else Condition.PROVIDER_DOWN, after_s, f"http_{status}"
        )
        return Reply(status, failure=failure, may_repeat=True)
    if is_json:
        row = _ERRORS.read(body)
        error = row.value if row else ErrorWire()
        code = (error.code or "").lower()
        code = code if _CODE.fullmatch(code) else ""
        failed = _failure_of_error(status, error, code, after_s)
        # An internal error passes as often as not; what its code says of a bank does not.
        is_internal = status >= 500 and failed.condition is Condition.PROVIDER_FAULT
        return Reply(status, code=code, failure=failed, may_repeat=is_internal)
    if status >= 500:
        failure = RetryLater(Condition.PROVIDER_DOWN, after_s, f"http_{status}")
        return Reply(status, failure=failure, may_repeat=status == 500)
    # A redirect is never followed and a refusal in HTML is not the API's: somebody is in between.
    return Reply(status, failure=RetryLater(Condition.OFFLINE, after_s, f"http_{status}"))


def _failure_of_error(status: int, error: ErrorWire, code: str, after_s: float | None) -> Failure:
    """Return what an error answer of the API means; its code counts before its status."""
    condition = condition_of_code(code)
    if condition is None and status in {401, 403}:
        condition = Condition.PROVIDER_REFUSES
    elif condition is None and status == 409:
        condition = Condition.PROVIDER_BUSY
    elif condition is None and status >= 500:
        condition = Condition.PROVIDER_FAULT
    if condition is None:
        detail = f"HTTP {status} {code}".rstrip()
        request = str(error.request_id or "")
        return bad_answer(f"{detail} (request {request})" if _REQUEST.fullmatch(request) else detail)
    if needs_you(condition):
        return ActionNeeded(condition, code or f"http_{status}", sentence_of(error.message))
    if heals_alone(condition):
        return RetryLater(condition, after_s, code or f"http_{status}")
    return Broken(condition, f"HTTP {status} {code}".rstrip())


def bad_answer(detail: str) -> Broken:
    """Return the failure for an answer that makes no sense; `detail` holds no payload."""
    return Broken(Condition.BAD_ANSWER, detail)


def retry_after_s(value: str | None, now: datetime) -> float | None:
    """Return what a Retry-After header asks for, between a second and a day; None for nonsense.

    Both forms of RFC 9110 are read: whole seconds and an HTTP date.
    """
    if value is None:
        return None
    text = value.strip()
    if text.isascii() and text.isdigit():
        # More digits than a day has seconds need no arithmetic; a header may hold thousands of them.
        seconds = RETRY_AFTER_MAX_S if len(text) > 9 else 1.0 * int(text)
    else:
        until = date_of(text)
        if until is None:
            return None
        seconds = (until - now).total_seconds()
    return min(max(seconds, RETRY_AFTER_MIN_S), RETRY_AFTER_MAX_S)


def date_of(value: str | None) -> datetime | None:
    """Return the instant of an HTTP date, or None for nonsense."""
    try:
        told = parsedate_to_datetime(value or "")
        return told.astimezone(UTC) if told.tzinfo is not None else None
    except (TypeError, ValueError, OverflowError):
        return None
