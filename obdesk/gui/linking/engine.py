"""Whether the embedded browser may be used at all: its sandbox, its switches and its age."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING

from obdesk.domain.texts import tr
from obdesk.gui.linking.policy import PRIVATE_SUFFIXES

if TYPE_CHECKING:
    from collections.abc import Mapping, MutableMapping, Sequence

AGE_MAX = timedelta(days=60)
FLAGS = "QTWEBENGINE_CHROMIUM_FLAGS"

_ANCHOR_MAJOR = 153  # stable on this day, and the first of the releases that come every two weeks
_ANCHOR_DAY = date(2026, 9, 8)
_SINCE = timedelta(weeks=2)
_BEFORE = timedelta(weeks=4)

_UNSAFE_SWITCHES = (
    "--no-sandbox",
    "--disable-web-security",
    "--ignore-certificate-errors",
    "--remote-debugging",
    "--single-process",
    "--disable-site-isolation",
    "--allow-running-insecure-content",
    "--ssl-key-log-file",
    "--load-extension",
    "--proxy-server",
    "--host-resolver-rules",
)
_UNSAFE_VARIABLES = ("QTWEBENGINE_REMOTE_DEBUGGING", "SSLKEYLOGFILE")


def refusal(
    environ: Mapping[str, str], arguments: Sequence[str], *, is_root: bool, root_demo: bool
) -> str | None:
    """Return why the embedded page must not be shown, or None when it may.

    `root_demo` allows one thing more: the demo, whose pages are its own, may run as root without the
    sandbox, because Chromium's sandbox does not work for root.
    """
    if environ.get("QTWEBENGINE_DISABLE_SANDBOX", "0") not in {"", "0"} and not (is_root and root_demo):
        return _unsafe("QTWEBENGINE_DISABLE_SANDBOX")
    for variable in _UNSAFE_VARIABLES:
        if environ.get(variable):
            return _unsafe(variable)
    present = environ.get(FLAGS, "")
    for local in (True, False):  # what `prepare` has set for an earlier page is ours
        present = present.replace(_resolver_switch(local=local), "")
    for switch in (*present.split(), *arguments):
        if switch == "--no-sandbox" and is_root and root_demo:
            continue
        if switch.startswith(_UNSAFE_SWITCHES):
            return _unsafe(switch.partition("=")[0])
    if is_root and not root_demo:
        return tr(
            "obdesk runs as the administrator, so the embedded page would have no sandbox. "
            "Your own browser can show it."
        )
    return None


def prepare(environ: MutableMapping[str, str], *, local: bool, is_root: bool, root_demo: bool) -> None:
    """Set the engine's switches; call it before the first page of the process, and after `refusal`.

    Names and addresses of the local network are made unresolvable in the engine itself, because a picture
    or call that is redirected there is sent before an interceptor hears of it. `local` leaves loopback
    open: the demo's pages are there.
    """
    environ[FLAGS] = flags(environ.get(FLAGS, ""), local=local, no_sandbox=is_root and root_demo)


def flags(present: str, *, local: bool, no_sandbox: bool) -> str:
    """Return the engine's switches: of those that were set only the one about graphics is kept."""
    kept = ["--disable-gpu"] if "--disable-gpu" in present.split() else []
    if no_sandbox:
        kept.append("--no-sandbox")
    return " ".join([*kept, _resolver_switch(local=local)])


def _resolver_switch(*, local: bool) -> str:
    rules = ",".join(f"MAP {pattern} ~NOTFOUND" for pattern in _unreachable(local=local))
    return f'--host-resolver-rules="{rules}"'


def _unreachable(*, local: bool) -> list[str]:
    mine = ["127.*", "localhost", "*.localhost", "[::1]", "::1"]
    numbers = [f"172.{second}.*" for second in range(16, 32)]
    numbers += [f"100.{second}.*" for second in range(64, 128)]
    numbers += [f"{first}.*" for first in range(224, 256)]
    numbers += ["0.*", "10.*", "169.254.*", "192.0.*", "192.168.*", "198.18.*", "198.19.*", "198.51.100.*"]
    numbers += ["203.0.113.*", "[f*", "fd*:*", "fc*:*", "fe*:*", "ff*:*", "::ffff:*", "[::ffff:*"]
    return [*numbers, *(f"*.{suffix}" for suffix in PRIVATE_SUFFIXES if suffix != "localhost")] + (
        [] if local else mine
    )


def patched_on(version: str) -> date | None:
    """Return the earliest day the security patches of a Chromium `version` were current.

    Chrome's releases follow a published calendar, so the major number tells the day: one every four weeks
    up to 153, one every two weeks from there on.
    """
    major = version.partition(".")[0]
    if not major.isdigit():
        return None
    ahead = int(major) - _ANCHOR_MAJOR
    return _ANCHOR_DAY + ahead * (_SINCE if ahead > 0 else _BEFORE)


def prefers_browser(version: str, today: date) -> bool:
    """Tell whether the engine is so old that the person's own browser is proposed first."""
    day = patched_on(version)
    return day is None or today - day > AGE_MAX


def _unsafe(name: str) -> str:
    return tr(
        "The embedded page is switched to an unsafe mode ({name}), so it stays closed. "
        "Your own browser can show it.",
        name=name,
    )
