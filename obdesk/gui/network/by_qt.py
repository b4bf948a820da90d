"""Everywhere else: what Qt finds out from the system."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject
from PySide6.QtNetwork import QNetworkInformation

if TYPE_CHECKING:
    from collections.abc import Callable

    from PySide6.QtCore import QMetaObject

_Reach = QNetworkInformation.Reachability
_ONLINE = {_Reach.Disconnected: False, _Reach.Local: False, _Reach.Site: True, _Reach.Online: True}


class QtNetwork:
    """A network by Qt's word; made in the interface's thread."""

    def __init__(self) -> None:
        self._knows = QNetworkInformation.loadDefaultBackend()
        self._listening: QMetaObject.Connection | None = None

    def online(self) -> bool | None:
        """Tell whether there is a network beyond this machine; None where the system does not say."""
        return _ONLINE.get(QNetworkInformation.instance().reachability()) if self._knows else None

    def metered(self) -> bool | None:
        """Tell whether the network's use costs money; None where the system does not say."""
        if not self._knows:
            return None
        known = QNetworkInformation.instance()
        return known.isMetered() if known.supports(QNetworkInformation.Feature.Metered) else None

    def listen(self, changed: Callable[[], object]) -> None:
        """Call `changed` when the network comes, goes or changes."""
        if self._knows:
            told = QNetworkInformation.instance().reachabilityChanged
            self._listening = told.connect(lambda _reach: changed())

    def close(self) -> None:
        """Listen no more."""
        if self._listening is not None:
            QObject.disconnect(self._listening)
            self._listening = None
