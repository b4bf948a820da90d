"""Plays the person in front of the embedded page for the demo: real key events, nothing else.

Nothing is put into a page and nothing is read out of it but its title, so what the demo shows is what a
person's keyboard can do. A page is typed again from its start when its keys came before it listened.
"""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

from PySide6.QtCore import QCoreApplication, QEvent, Qt
from PySide6.QtGui import QKeyEvent

if TYPE_CHECKING:
    from collections.abc import Sequence

    from PySide6.QtWidgets import QWidget

    from obdesk.gui.linking.webview import LinkBrowser

ENTER = "\r"
TAB = "\t"
SETTLE_S = 0.4
"""How long a page that has loaded may take to give its first field the focus."""
ANSWER_S = 3.0
"""How long a page may take to react before its keys are tried again."""
_STEP_S = 0.05
_GAP_S = 0.02


@dataclass(frozen=True, slots=True)
class PageKeys:
    """What to type on a page, found by its title; `TAB` and `ENTER` are keys, the rest is text."""

    title: str
    """A regular expression over the page's title."""
    keys: tuple[str, ...]


DEMO_PAGES = (
    PageKeys(r"^(Sign in to|Connectez-vous à) ", ("armelle", TAB, "secret", ENTER)),
    PageKeys(r"^(Enter your code|Saisissez votre code)", ("123456", ENTER)),
    PageKeys(r".", (ENTER,)),
)
"""The simulated banks: every other page is confirmed as it is offered."""


class PersonLostError(Exception):
    """The page did not go on in time; the text is the last title that was seen."""


async def drive(
    browser: LinkBrowser, script: Sequence[PageKeys] = DEMO_PAGES, *, patience_s: float = 60.0
) -> list[str]:
    """Type until the page comes back to us, and return the titles that were seen on the way."""
    seen: list[str] = []
    try:
        async with asyncio.timeout(patience_s):
            while (page := browser.page) is not None:
                title = await _settled_title(browser)
                if browser.page is not page:
                    break
                keys = next((each.keys for each in script if re.search(each.title, title)), None)
                if keys is None:
                    raise PersonLostError(title)
                seen.append(title)
                await _type(browser, keys)
                if not await _gone_on(browser, title):
                    page.triggerAction(page.WebAction.Reload)
    except TimeoutError as error:
        raise PersonLostError(seen[-1] if seen else "no page") from error
    return seen


async def _settled_title(browser: LinkBrowser) -> str:
    loop = asyncio.get_running_loop()
    quiet_since_s = loop.time()
    # The engine reports by signals of three kinds, redirects included; looking is simpler and enough.
    while browser.page is not None and loop.time() - quiet_since_s < SETTLE_S:
        if browser.page.isLoading() or not browser.page.title():
            quiet_since_s = loop.time()
        await asyncio.sleep(_STEP_S)
    return browser.page.title() if browser.page is not None else ""


async def _type(browser: LinkBrowser, keys: Sequence[str]) -> None:
    for part in keys:
        for sign in part:
            ears = browser.view.focusProxy() if browser.view is not None else None
            if ears is None:
                return
            press(ears, sign)
            await asyncio.sleep(_GAP_S)


def press(ears: QWidget, sign: str) -> None:
    """Press and release one key on a widget, as a keyboard would."""
    key = {ENTER: Qt.Key.Key_Return, TAB: Qt.Key.Key_Tab}.get(sign) or Qt.Key(ord(sign.upper()))
    none = Qt.KeyboardModifier.NoModifier
    for kind in (QEvent.Type.KeyPress, QEvent.Type.KeyRelease):
        QCoreApplication.sendEvent(ears, QKeyEvent(kind, key, none, sign))


async def _gone_on(browser: LinkBrowser, title: str) -> bool:
    loop = asyncio.get_running_loop()
    until_s = loop.time() + ANSWER_S
    while loop.time() < until_s:
        page = browser.page
        if page is None or page.isLoading() or page.title() != title:
            return True
        await asyncio.sleep(_STEP_S)
    return False
