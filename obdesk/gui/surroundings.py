"""Network by Qt, battery by the kernel's files: what the schedule takes into account."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtNetwork import QNetworkInformation

if TYPE_CHECKING:
    from collections.abc import Callable

_POWER = Path("/sys/class/power_supply")
_Reach = QNetworkInformation.Reachability
_ONLINE = {_Reach.Disconnected: False, _Reach.Local: False, _Reach.Site: True, _Reach.Online: True}


class QtSurroundings:
    """Surroundings of the window (obdesk.app.surroundings.Surroundings); made in the interface's thread."""

    def __init__(self, power: Path = _POWER) -> None:
        self._knows_network = QNetworkInformation.loadDefaultBackend()
        self._power = power

    def online(self) -> bool | None:
        """Tell whether there is a network beyond this machine; None where the system does not say."""
        if not self._knows_network:
            return None
        return _ONLINE.get(QNetworkInformation.instance().reachability())

    def metered(self) -> bool | None:
        """Tell whether the network's use costs money; None where the system does not say."""
        if not self._knows_network:
            return None
        known = QNetworkInformation.instance()
        return known.isMetered() if known.supports(QNetworkInformation.Feature.Metered) else None

    def battery_percent(self) -> int | None:
        """Return the lowest charge of the batteries that are being used up; only Linux tells us."""
        charges = [charge for each in self._supplies() if (charge := _charge(each)) is not None]
        return min(charges, default=None)

    def _supplies(self) -> list[Path]:
        try:
            return sorted(self._power.iterdir())
        except OSError:
            return []

    def listen(self, changed: Callable[[], object]) -> None:
        """Call `changed` when the network comes, goes or changes."""
        if self._knows_network:
            QNetworkInformation.instance().reachabilityChanged.connect(lambda _reach: changed())


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
