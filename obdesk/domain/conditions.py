"""What can be the matter with a connection: a closed set, each with its cause, side and one action.

The provider's states are many and open; they are mapped to these at one place per provider. A state
nobody has heard of becomes UNKNOWN_STATE: shown, never taken for success, never a crash.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum
from typing import TYPE_CHECKING

from obdesk.domain.errors import Action
from obdesk.domain.freshness import FreshnessState
from obdesk.domain.texts import mark, tr

if TYPE_CHECKING:
    from datetime import datetime

ASKED = "asked:"
"""Begins the kept state of a link whose bank refused when it was asked; no provider has such states."""


class Condition(Enum):
    """The state of a connection as a person understands it."""

    OK = "ok"
    NEVER_SYNCED = "never_synced"
    NEEDS_SCA = "needs_sca"
    NEEDS_WEB_LOGIN = "needs_web_login"
    NEEDS_CODE = "needs_code"
    NEEDS_APP_APPROVAL = "needs_app_approval"
    VALIDATING = "validating"
    CONSENT_EXPIRED = "consent_expired"
    WRONG_PASSWORD = "wrong_password"  # noqa: S105 - a state, not a secret
    PASSWORD_EXPIRED = "password_expired"  # noqa: S105 - a state, not a secret
    ACTION_AT_BANK = "action_at_bank"
    BANK_THROTTLES = "bank_throttles"
    BANK_DOWN = "bank_down"
    NOT_SUPPORTED = "not_supported"
    STUCK = "stuck"
    GONE = "gone"
    PROVIDER_FAULT = "provider_fault"
    PROVIDER_DOWN = "provider_down"
    PROVIDER_BUSY = "provider_busy"
    PROVIDER_REFUSES = "provider_refuses"
    BAD_ANSWER = "bad_answer"
    OFFLINE = "offline"
    COMING_BACK = "coming_back"
    UNKNOWN_STATE = "unknown_state"


class Side(Enum):
    """Whose turn it is."""

    NOBODY = "nobody"
    YOU = "you"
    BANK = "bank"
    PROVIDER = "provider"
    NETWORK = "network"


@dataclass(frozen=True, slots=True)
class Explanation:
    """A condition in words: what happened, on whose side, what happens next, and one button."""

    condition: Condition
    title: str
    cause: str
    side: Side
    heals_alone: bool
    next_step: str
    action: Action


@dataclass(frozen=True, slots=True)
class _Rule:
    title: str
    cause: str
    side: Side
    heals_alone: bool
    action: Action
    freshness: FreshnessState | None  # None: age alone decides


_YOU, _BANK, _PROVIDER = Side.YOU, Side.BANK, Side.PROVIDER
_NEEDS, _DELAYED, _BROKEN = FreshnessState.NEEDS_YOU, FreshnessState.DELAYED, FreshnessState.BROKEN

_RULES: dict[Condition, _Rule] = {
    Condition.OK: _Rule(
        mark("{bank} answers"), mark("The last check went well."), Side.NOBODY, True, Action.REFRESH, None
    ),
    Condition.NEVER_SYNCED: _Rule(
        mark("{bank} is linked"),
        mark("The first data is on its way."),
        Side.NOBODY,
        True,
        Action.REFRESH,
        FreshnessState.UNKNOWN,
    ),
    Condition.NEEDS_SCA: _Rule(
        mark("{bank} asks you to confirm access"),
        mark(
            "The bank wants to know it is still you. Nothing is lost; renewing keeps all accounts and edits."
        ),
        _YOU,
        False,
        Action.RENEW,
        _NEEDS,
    ),
    Condition.NEEDS_WEB_LOGIN: _Rule(
        mark("{bank} asks you to log in"),
        mark("The bank wants a login on its own page before it shows new data."),
        _YOU,
        False,
        Action.RENEW,
        _NEEDS,
    ),
    Condition.NEEDS_CODE: _Rule(
        mark("{bank} asks for a code"),
        mark("The bank sent you a code, by SMS or in its app, and waits for it."),
        _YOU,
        False,
        Action.RENEW,
        _NEEDS,
    ),
    Condition.NEEDS_APP_APPROVAL: _Rule(
        mark("{bank} waits for your approval"),
        mark("Approve the request in your bank's app, then renew."),
        _YOU,
        False,
        Action.RENEW,
        _NEEDS,
    ),
    Condition.VALIDATING: _Rule(
        mark("{bank} is checking your approval"),
        mark("Your approval is on its way through the bank."),
        _BANK,
        True,
        Action.REFRESH,
        _DELAYED,
    ),
    Condition.CONSENT_EXPIRED: _Rule(
        mark("Access to {bank} has ended"),
        mark("The consent you gave lasts a limited time by law and is over."),
        _YOU,
        False,
        Action.RENEW,
        _NEEDS,
    ),
    Condition.WRONG_PASSWORD: _Rule(
        mark("{bank} refuses the login"),
        mark("The password or identifier is no longer right. We do not try again, so nothing gets locked."),
        _YOU,
        False,
        Action.RENEW,
        _NEEDS,
    ),
    Condition.PASSWORD_EXPIRED: _Rule(
        mark("Your password at {bank} has expired"),
        mark("Choose a new one on the bank's own site, then renew access here."),
        _YOU,
        False,
        Action.RENEW,
        _NEEDS,
    ),
    Condition.ACTION_AT_BANK: _Rule(
        mark("{bank} wants something from you on its site"),
        mark("Log in at the bank and follow its message (often new terms to accept)."),
        _YOU,
        False,
        Action.REFRESH,
        _NEEDS,
    ),
    Condition.BANK_THROTTLES: _Rule(
        mark("{bank} asks us to slow down"),
        mark("The bank limits how often it may be asked."),
        _BANK,
        True,
        Action.REFRESH,
        _DELAYED,
    ),
    Condition.BANK_DOWN: _Rule(
        mark("{bank} does not answer"),
        mark("The bank's own service is not available."),
        _BANK,
        True,
        Action.REFRESH,
        _DELAYED,
    ),
    Condition.NOT_SUPPORTED: _Rule(
        mark("{bank} cannot be read this way"),
        mark("The aggregator does not support this access to the bank."),
        _PROVIDER,
        False,
        Action.SHOW_DETAILS,
        _BROKEN,
    ),
    Condition.STUCK: _Rule(
        mark("{bank} has not been read for long"),
        mark("The aggregator has planned no further try. Asking now usually wakes it up."),
        _PROVIDER,
        False,
        Action.REFRESH,
        _NEEDS,
    ),
    Condition.GONE: _Rule(
        mark("{bank} is no longer linked"),
        mark("The connection was removed at the aggregator. Your history stays here."),
        _PROVIDER,
        False,
        Action.LINK_BANK,
        _BROKEN,
    ),
    Condition.PROVIDER_FAULT: _Rule(
        mark("The aggregator cannot read {bank}"),
        mark("There is a fault on the aggregator's side; it is mended there."),
        _PROVIDER,
        True,
        Action.REFRESH,
        _DELAYED,
    ),
    Condition.PROVIDER_DOWN: _Rule(
        mark("The aggregator does not answer"),
        mark("Its service has a problem at the moment. Your bank is not the cause."),
        _PROVIDER,
        True,
        Action.REFRESH,
        _DELAYED,
    ),
    Condition.PROVIDER_BUSY: _Rule(
        mark("The aggregator asks us to slow down"),
        mark("We asked more often than it allows for the moment."),
        _PROVIDER,
        True,
        Action.WAIT,
        _DELAYED,
    ),
    Condition.PROVIDER_REFUSES: _Rule(
        mark("The aggregator refuses our access"),
        mark(
            "The token of this computer was revoked or is gone from the keyring, or the application's "
            "settings changed."
        ),
        _YOU,
        False,
        Action.CONFIGURE_PROVIDER,
        _NEEDS,
    ),
    Condition.BAD_ANSWER: _Rule(
        mark("The answer for {bank} made no sense"),
        mark("What came back was not what the aggregator promises. Nothing of it was kept."),
        _PROVIDER,
        True,
        Action.REFRESH,
        _DELAYED,
    ),
    Condition.OFFLINE: _Rule(
        mark("This computer is offline"),
        mark("The aggregator cannot be reached from here."),
        Side.NETWORK,
        True,
        Action.REFRESH,
        _DELAYED,
    ),
    Condition.COMING_BACK: _Rule(
        mark("The aggregator answers again"),
        mark("After an outage everybody comes back at once, so we wait for our turn. Refresh to go first."),
        _PROVIDER,
        True,
        Action.REFRESH,
        _DELAYED,
    ),
    Condition.UNKNOWN_STATE: _Rule(
        mark("{bank} is in a state we do not know"),
        mark("The aggregator reports something new. Your data stays as it was."),
        _PROVIDER,
        False,
        Action.SHOW_DETAILS,
        _BROKEN,
    ),
}


def explain(
    condition: Condition, bank: str, *, next_try: datetime | None = None, when: str = ""
) -> Explanation:
    """Return `condition` of `bank` in words; `when` is the next try as the front end writes it."""
    rule = _RULES[condition]
    return Explanation(
        condition,
        tr(rule.title, bank=bank),
        tr(rule.cause),
        rule.side,
        rule.heals_alone,
        _next_step(rule, next_try, when),
        rule.action,
    )


def _next_step(rule: _Rule, next_try: datetime | None, when: str) -> str:
    if rule.side is Side.YOU and rule.action is Action.REFRESH:
        return tr("Refresh when that is done; we look by ourselves as well.")
    if rule.side is Side.YOU:
        return tr("We wait for you; the bank is not asked until then.")
    if not rule.heals_alone:
        return tr("It does not heal alone.")
    if next_try is not None and when:
        return tr("We try again by ourselves, next at {when}.", when=when)
    return tr("We try again by ourselves.")


def freshness_of(condition: Condition) -> FreshnessState | None:
    """Return the state a condition imposes, or None where age alone decides."""
    return _RULES[condition].freshness


def needs_you(condition: Condition) -> bool:
    """Tell whether a person has to act before data can flow again."""
    return _RULES[condition].freshness is _NEEDS


def mended_by_renewing(condition: Condition) -> bool:
    """Tell whether only the renewing page helps: asking the bank again could lock it or send codes."""
    return _RULES[condition].action is Action.RENEW


def heals_alone(condition: Condition) -> bool:
    """Tell whether trying again later is enough."""
    return _RULES[condition].heals_alone


def side_of(condition: Condition) -> Side:
    """Return whose turn it is."""
    return _RULES[condition].side
