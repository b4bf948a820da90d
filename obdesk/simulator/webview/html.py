"""HTML by construction: text is always escaped, markup never is twice."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

_VOID = frozenset({"input", "link", "meta"})


class Html(str):
    """Markup that is safe to put on a page as it is."""

    __slots__ = ()


def el(tag: str, /, *content: str, **attributes: str | bool | int | None) -> Html:
    """Return an element.

    Attribute names lose a trailing underscore and write a dash for an underscore; True stands for the
    bare name, None and False leave the attribute out.
    """
    marks = "".join(_attribute(key, value) for key, value in attributes.items())
    opening = f"<{tag}{marks}>"
    return Html(opening if tag in _VOID else f"{opening}{join(content)}</{tag}>")


def join(parts: Iterable[str]) -> Html:
    """Return parts one after the other; plain text among them is escaped."""
    return Html("".join(part if isinstance(part, Html) else escape(part) for part in parts))


def _attribute(key: str, value: str | bool | int | None) -> str:  # noqa: FBT001 - an attribute's own value
    if value is None or value is False:
        return ""
    name = key.rstrip("_").replace("_", "-")
    return f" {name}" if value is True else f' {name}="{escape(str(value))}"'
