"""A person with a browser that knows forms and redirects and nothing else."""

from __future__ import annotations

import http.cookiejar
import urllib.request
from dataclasses import dataclass, field
from html.parser import HTMLParser
from urllib.parse import urlencode, urljoin

_PAGES_MAX = 12


@dataclass
class Form:
    """A form of a page: where it goes, what it holds, and its buttons (name, value, words)."""

    method: str
    quiet: bool
    values: list[tuple[str, str]] = field(default_factory=list)
    blanks: list[tuple[str, str]] = field(default_factory=list)
    """Fields to fill, with their type."""
    buttons: list[list[str]] = field(default_factory=list)


class _Forms(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.forms: list[Form] = []
        self._inside = False
        self._button = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.forms.append(Form(found.get("method", "get"), "quiet" in found.get("class", "")))
            self._inside = True
        elif self._inside and tag == "input":
            self._input(found)
        elif self._inside and tag == "button":
            self.forms[-1].buttons.append([found.get("name", ""), found.get("value", ""), ""])
            self._button = True

    def _input(self, found: dict[str, str]) -> None:
        name, kind = found.get("name", ""), found.get("type", "text")
        if kind in {"hidden", "submit"} or (kind in {"checkbox", "radio"} and "checked" in found):
            self.forms[-1].values.append((name, found.get("value", "on")))
        elif kind not in {"checkbox", "radio"}:
            self.forms[-1].blanks.append((name, kind))

    def handle_data(self, data: str) -> None:
        if self._button:
            self.forms[-1].buttons[-1][2] += data

    def handle_endtag(self, tag: str) -> None:
        if tag == "form":
            self._inside = False
        elif tag == "button":
            self._button = False


class Visitor:
    """Goes through the bank's pages as far as a button leads."""

    def __init__(self) -> None:
        jar = urllib.request.HTTPCookieProcessor(http.cookiejar.CookieJar())
        self._browser = urllib.request.build_opener(urllib.request.ProxyHandler({}), jar)

    def link(self, url: str, bank: str) -> str:
        """Choose `bank`, log in and agree to everything; return the address the pages end at."""
        return self._go(url, bank, cancel=False)

    def cancel(self, url: str) -> str:
        """Look at the first page and press Cancel."""
        return self._go(url, "", cancel=True)

    def _go(self, url: str, bank: str, *, cancel: bool) -> str:
        page, at = self._open(url)
        for _ in range(_PAGES_MAX):
            reader = _Forms()
            reader.feed(page)
            posts = [form for form in reader.forms if form.method == "post"]
            if not posts or "/callback" in at:
                return at
            form, pressed = _decision(posts, bank, cancel=cancel)
            values = [*form.values, *((name, _typed(name, kind)) for name, kind in form.blanks), pressed]
            page, at = self._open(at, urlencode([pair for pair in values if pair[0]]).encode())
        raise AssertionError(f"the pages have no end: {at}")

    def _open(self, url: str, data: bytes | None = None) -> tuple[str, str]:
        with self._browser.open(urllib.request.Request(url, data), timeout=30) as answer:  # noqa: S310 - loopback
            return answer.read().decode(), urljoin(url, answer.url)


def _decision(posts: list[Form], bank: str, *, cancel: bool) -> tuple[Form, tuple[str, str]]:
    for form in posts:
        for name, value, words in form.buttons:
            if cancel and value == "cancel":
                return form, (name, value)
            if not cancel and name == "connector" and bank in words:
                return form, (name, value)
    form = next(form for form in posts if not form.quiet)
    name, value = form.buttons[0][:2] if form.buttons else ("", "")
    return form, (name, value)


def _typed(name: str, kind: str) -> str:
    if kind == "password" or "code" in name:
        return "1234"
    return "2000-01-31" if kind == "date" else "visitor"
