"""Settings kept in the data, each declared once: key, kind, default and the sentence that explains it.

What is needed before the data opens (language, colours, places) is kept in `window.ini` beside it.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import time
from enum import Enum
from typing import TYPE_CHECKING

from obdesk.domain.errors import BugError
from obdesk.domain.texts import mark

if TYPE_CHECKING:
    from collections.abc import Mapping


_TIME = re.compile(r"(?:[01][0-9]|2[0-3]):[0-5][0-9]")


class SettingKind(Enum):
    """What values a setting takes."""

    TEXT = "text"
    HOURS = "hours"
    TIME = "time"
    """A local time of day, or empty."""
    SWITCH = "switch"
    PORT = "port"
    CALLS = "calls"
    """A number of requests a minute."""


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting."""

    key: str
    kind: SettingKind
    default: str
    text: str

    def accepts(self, value: str) -> bool:
        """Tell whether `value` is one this setting can take."""
        match self.kind:
            case SettingKind.TEXT:
                return len(value) <= 500
            case SettingKind.HOURS:
                return value.isdecimal() and 1 <= int(value) <= 168
            case SettingKind.TIME:
                return value == "" or _TIME.fullmatch(value) is not None
            case SettingKind.SWITCH:
                return value in {"on", "off"}
            case SettingKind.PORT:
                return value.isascii() and value.isdecimal() and 1024 <= int(value) <= 65_535
            case SettingKind.CALLS:
                return value.isascii() and value.isdecimal() and 5 <= int(value) <= 10_000


_DECLARED = (
    Setting("sync.interval_h", SettingKind.HOURS, "4", mark("Hours between two checks of each bank")),
    Setting("sync.paused", SettingKind.SWITCH, "off", mark("Background syncs are paused")),
    Setting("sync.quiet_from", SettingKind.TIME, "", mark("No bank is asked by itself from this local time")),
    Setting("sync.quiet_to", SettingKind.TIME, "", mark("until this local time")),
    Setting("sync.spare", SettingKind.SWITCH, "on", mark("Wait on a metered network or a low battery")),
    Setting("tray.explained", SettingKind.SWITCH, "off", mark("The note about the tray was shown")),
    Setting("powens.api_url", SettingKind.TEXT, "", mark("Address of the Powens API")),
    Setting("powens.webview_url", SettingKind.TEXT, "", mark("Address of the Powens webview")),
    Setting("powens.domain", SettingKind.TEXT, "", mark("Your Powens domain")),
    Setting("powens.client_id", SettingKind.TEXT, "", mark("Your Powens client id")),
    Setting("powens.calls_per_min", SettingKind.CALLS, "30", mark("Requests a minute that Powens allows")),
    Setting("relay.url", SettingKind.TEXT, "", mark("Address of the relay that keeps webhooks for you")),
    Setting("metrics.enabled", SettingKind.SWITCH, "off", mark("Figures are offered to a monitor here")),
    Setting("metrics.port", SettingKind.PORT, "9464", mark("Port of 127.0.0.1 where figures are offered")),
    Setting("last_visit", SettingKind.TEXT, "", mark("When the window was last looked at")),
)  # fmt: skip

SETTINGS: Mapping[str, Setting] = {setting.key: setting for setting in _DECLARED}


def declared(key: str) -> Setting:
    """Return the declaration of a setting; an unknown key is our mistake."""
    try:
        return SETTINGS[key]
    except KeyError as error:
        raise BugError(f"setting {key} is not declared") from error


def stored(key: str, value: str | None) -> str:
    """Return the value of a setting as it is kept, or its default where none is."""
    return declared(key).default if value is None else value


def time_of(value: str) -> time | None:
    """Return the time of day that a setting holds, or None where it is empty."""
    return time.fromisoformat(value) if value else None
