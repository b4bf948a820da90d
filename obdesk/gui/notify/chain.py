"""The presenter that is given to the notifier: the first adapter that can show a notice does."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from obdesk.domain.errors import Action
    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.notices import Notice

    OnAction = Callable[[Action, ConnectionId | None], object]

TEXT_MAX = 400
_MARKS = re.compile("[\u0000-\u001f\u007f-\u009f\u200b-\u200f\u2028-\u202e\u2066-\u2069\ufeff]+")


class Adapter(Protocol):
    """One way to show a notice."""

    @property
    def name(self) -> str:
        """Return what it is called in logs and in the report of `obdesk doctor`."""
        ...

    def show(self, notice: Notice) -> bool:
        """Show a notice and tell whether that worked; never raises."""
        ...


class PresenterChain:
    """Tries one adapter after the other (obdesk.app.notifier.Presenter)."""

    def __init__(self, adapters: Sequence[Adapter]) -> None:
        self._adapters = tuple(adapters)
        self.last_used = ""

    def show(self, notice: Notice) -> None:
        """Show a notice by the first adapter that can."""
        for adapter in self._adapters:
            if adapter.show(notice):
                self.last_used = adapter.name
                return


def tamed(text: str) -> str:
    """Return a text without control and direction marks, for surfaces that are not ours."""
    return _MARKS.sub(" ", text)[:TEXT_MAX]
