"""What a provider may answer, a closed set: data, action needed, retry later, broken."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from obdesk.domain.conditions import Condition

PAGE_SHIFT = "page shift"
"""The detail of a Broken answer whose rows moved between two of its pages: read it again."""

T_co = TypeVar("T_co", covariant=True)


@dataclass(frozen=True, slots=True)
class Fetched(Generic[T_co]):
    """The data that was asked for."""

    value: T_co


@dataclass(frozen=True, slots=True)
class ActionNeeded:
    """A person has to do something; asking again by ourselves would be useless or harmful."""

    condition: Condition
    provider_code: str = ""
    bank_message: str = ""


@dataclass(frozen=True, slots=True)
class RetryLater:
    """It heals alone; `after_s` is what the provider asked us to wait, when it said so."""

    condition: Condition
    after_s: float | None = None
    provider_code: str = ""


@dataclass(frozen=True, slots=True)
class Broken:
    """The answer or the request makes no sense; retrying at once would not help."""

    condition: Condition
    detail: str
    """For the log and the details fold: codes and positions, never payloads."""


Failure = ActionNeeded | RetryLater | Broken
Outcome = Fetched[T_co] | ActionNeeded | RetryLater | Broken
