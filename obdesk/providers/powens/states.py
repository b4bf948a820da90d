"""Powens' words for states and errors, turned into conditions. Both sets are open and spelled loosely.

The same vocabulary serves in three places: the `state` of a connection or source, the `error` of an
account, and the `code` of an error answer; only codes also speak about our own access.
"""

from __future__ import annotations

from obdesk.domain.conditions import Condition

_STATES = {
    "scarequired": Condition.NEEDS_SCA,
    "webauthrequired": Condition.NEEDS_WEB_LOGIN,
    "additionalinformationneeded": Condition.NEEDS_CODE,
    "decoupled": Condition.NEEDS_APP_APPROVAL,
    "validating": Condition.VALIDATING,
    "wrongpass": Condition.WRONG_PASSWORD,
    "passwordexpired": Condition.PASSWORD_EXPIRED,
    "actionneeded": Condition.ACTION_AT_BANK,
    "bankmessage": Condition.ACTION_AT_BANK,
    "ratelimiting": Condition.BANK_THROTTLES,
    "websiteunavailable": Condition.BANK_DOWN,
    "bug": Condition.PROVIDER_FAULT,
    "config": Condition.PROVIDER_FAULT,
    "keymanager": Condition.PROVIDER_FAULT,
    "dataerror": Condition.PROVIDER_FAULT,
    "notsupported": Condition.NOT_SUPPORTED,
}

_CODES = _STATES | {
    "toomanysync": Condition.PROVIDER_BUSY,
    "connectionlocked": Condition.PROVIDER_BUSY,
    "unauthorized": Condition.PROVIDER_REFUSES,
    "invalidtoken": Condition.PROVIDER_REFUSES,
    "badcredentials": Condition.PROVIDER_REFUSES,
    "authfailure": Condition.PROVIDER_REFUSES,
    "invalid_client": Condition.PROVIDER_REFUSES,
    "forbidden": Condition.PROVIDER_REFUSES,
}

REFUSED_TOKEN_CODES = frozenset({"unauthorized", "invalidtoken", "authfailure"})
"""Codes that speak of the bearer token itself, not of what it may do."""


def condition_of_state(state: str | None) -> Condition:
    """Return what the state of a connection or the error of an account means; None is well."""
    if not state:
        return Condition.OK
    return _STATES.get(state.strip().lower(), Condition.UNKNOWN_STATE)


def condition_of_code(code: str) -> Condition | None:
    """Return what an error code means, or None where the HTTP status has to decide."""
    return _CODES.get(code.strip().lower())
