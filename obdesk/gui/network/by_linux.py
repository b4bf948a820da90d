"""Linux: the kernel's tables of routes, its word when they change, and NetworkManager for what costs money.

Qt would say the same, for ten megabytes of libraries that stay loaded (docs/decisions, 21).
Sources: proc_net(5), rtnetlink(7), and the D-Bus interface of NetworkManager.
"""

from __future__ import annotations

import logging
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QSocketNotifier

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

TABLES = Path("/proc/net")
REPLY_S = 1.0
"""NetworkManager is a local program: without a word in this time it is as if it were not there."""
_NETLINK_ROUTE = 0
_ROUTES_CHANGED = 0x40 | 0x400  # RTMGRP_IPV4_ROUTE and RTMGRP_IPV6_ROUTE of rtnetlink(7)
_UP, _GATEWAY, _REJECT = 0x1, 0x2, 0x200
_MANAGER = "org.freedesktop.NetworkManager"
_COSTS = {1: True, 2: False, 3: True, 4: False}
"""NMMetered: yes, no, guessed yes, guessed no; 0 is that it does not know."""

_log = logging.getLogger(__name__)


class LinuxNetwork:
    """A network by the kernel's word."""

    def __init__(self, tables: Path = TABLES) -> None:
        self._tables = tables
        self._line: socket.socket | None = None
        self._ears: QSocketNotifier | None = None

    def online(self) -> bool | None:
        """Tell whether a route leads beyond this machine's own networks; None without tables."""
        found = list(self._routes())
        return None if not found else any(found)

    def metered(self) -> bool | None:
        """Return what NetworkManager says or guesses. A question over D-Bus: not in the window's thread."""
        try:
            from jeepney import DBusAddress, DBusErrorResponse, Properties
            from jeepney.io.blocking import open_dbus_connection
            from jeepney.wrappers import unwrap_msg
        except ImportError:  # it comes with the Secret Service, which not every system has
            return None
        manager = DBusAddress("/org/freedesktop/NetworkManager", bus_name=_MANAGER, interface=_MANAGER)
        try:
            with open_dbus_connection("SYSTEM") as bus:
                reply = bus.send_and_get_reply(Properties(manager).get("Metered"), timeout=REPLY_S)
                (_signature, told), *_ = unwrap_msg(reply)
        except (OSError, KeyError, ValueError, DBusErrorResponse):
            return None
        return _COSTS.get(told)

    def listen(self, changed: Callable[[], object]) -> None:
        """Call `changed` when routes come or go."""
        try:
            self._line = socket.socket(
                socket.AF_NETLINK, socket.SOCK_RAW | socket.SOCK_NONBLOCK, _NETLINK_ROUTE
            )
            self._line.bind((0, _ROUTES_CHANGED))
        except OSError:  # a sandbox may forbid it: the next look at the tables tells as well
            _log.info("the kernel does not tell of routes here")
            self.close()
            return
        self._ears = QSocketNotifier(self._line.fileno(), QSocketNotifier.Type.Read)
        self._ears.activated.connect(lambda: self._heard(changed))

    def close(self) -> None:
        """Listen no more."""
        if self._ears is not None:
            self._ears.setEnabled(False)
            self._ears = None
        if self._line is not None:
            self._line.close()
            self._line = None

    def _heard(self, changed: Callable[[], object]) -> None:
        # What the kernel says of each route does not matter: one change brings many of them.
        while self._line is not None:
            try:
                self._line.recv(65_536)
            except BlockingIOError:
                break
            except OSError:  # more came than was kept for us, which is a change as well
                continue
        changed()

    def _routes(self) -> Iterator[bool]:
        """Yield for each route, and once for a table without any, whether it leads to other networks."""
        for name, leads in (("route", _leads_by_4), ("ipv6_route", _leads_by_6)):
            try:
                lines = (self._tables / name).read_text(encoding="ascii").splitlines()
            except (OSError, ValueError):
                continue
            yield False
            for line in lines:
                yield leads(line.split())


def _leads_by_4(told: list[str]) -> bool:
    # Iface Destination Gateway Flags RefCnt Use Metric Mask ...; the first line names them.
    try:
        goes_anywhere = int(told[1], 16) == 0 == int(told[7], 16)
        return _is_open(int(told[3], 16), anywhere=goes_anywhere)
    except (IndexError, ValueError):
        return False


def _leads_by_6(told: list[str]) -> bool:
    # Destination, its length, source, its length, next hop, metric, references, uses, flags, device.
    try:
        goes_anywhere = int(told[0], 16) == 0 == int(told[1], 16)
        return told[9] != "lo" and _is_open(int(told[8], 16), anywhere=goes_anywhere)
    except (IndexError, ValueError):
        return False


def _is_open(flags: int, *, anywhere: bool) -> bool:
    return bool(flags & _UP) and not flags & _REJECT and (anywhere or bool(flags & _GATEWAY))
