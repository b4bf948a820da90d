"""Network and battery of the machine: what the schedule takes into account."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable

POWER = Path("/sys/class/power_supply")


class Network(Protocol):
    """What a system tells of its network."""

    def online(self) -> bool | None:
        """Tell whether there is a network; None where the system does not say."""
        ...

    def metered(self) -> bool | None:
        """Tell whether its use costs money. May ask another program: not for the interface's thread."""
        ...

    def listen(self, changed: Callable[[], object]) -> None:
        """Call `changed` when the network comes, goes or changes."""
        ...

    def close(self) -> None:
        """Listen no more."""
        ...


def network_of(system: str = sys.platform) -> Network:
    """Return the network as this system tells of it; made in the interface's thread."""
    if system == "linux":
        from obdesk.gui.network.by_linux import LinuxNetwork

        return LinuxNetwork()
    from obdesk.gui.network.by_qt import QtNetwork

    return QtNetwork()


class MachineSurroundings:
    """Surroundings of the window (obdesk.app.surroundings.Surroundings); battery by the kernel's files."""

    def __init__(self, network: Network, power: Path = POWER) -> None:
        self._network, self._power = network, power
        self.online, self.metered, self.listen = network.online, network.metered, network.listen
        self.close = network.close

    def battery_percent(self) -> int | None:
        """Return the lowest charge of the batteries that are being used up; only Linux tells us."""
        charges = [charge for each in self._supplies() if (charge := _charge(each)) is not None]
        return min(charges, default=None)

    def _supplies(self) -> list[Path]:
        try:
            return sorted(self._power.iterdir())
        except OSError:
            return []


def _charge(supply: Path) -> int | None:
    try:
        # The battery of a mouse says Device; whether it lasts is nobody's reason to wait.
        if _text(supply / "type") != "Battery" or _text(supply / "status") != "Discharging":
            return None
        if (supply / "scope").exists() and _text(supply / "scope") == "Device":
            return None
        return int(_text(supply / "capacity"))
    except (OSError, ValueError):
        return None


def _text(file: Path) -> str:
    return file.read_text(encoding="ascii").strip()
