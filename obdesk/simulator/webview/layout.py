"""What every page shares: the frame, the bank's monogram, the progress marks, quiet buttons."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.simulator.webview.html import Html, el, join
from obdesk.simulator.webview.texts import problem_text, text
from obdesk.simulator.webview.visits import Step, Visit

if TYPE_CHECKING:
    from obdesk.simulator.bank.connectors import Connector

_STEPS = (Step.CHOOSE, Step.LOGIN, Step.OTP, Step.ACCOUNTS)
_STEP_OF = {Step.APP: Step.OTP, Step.BANK: Step.OTP, Step.MORE: Step.ACCOUNTS, Step.DONE: Step.ACCOUNTS}
_SMALL_WORDS = frozenset({"d", "de", "des", "du", "l", "la", "le", "les", "&", "of", "the"})
_ACCENT = "0E6B57"
_NOTHING = Html("")


def monogram(connector: Connector) -> str:
    """Return the one or two letters that stand for a bank."""
    words = [word for word in connector.name.replace("'", " ").split() if word.lower() not in _SMALL_WORDS]
    return "".join(word[0] for word in words)[:2].upper()


def avatar(connector: Connector, size: str = "") -> Html:
    """Return a bank's monogram on its colour."""
    style = f"--bank:#{connector.color}"
    return el("span", monogram(connector), class_=f"avatar {size}", style=style, aria_hidden="true")


def frame(
    lang: str,
    title: str,
    body: Html,
    *,
    connector: Connector | None = None,
    marks: Html = _NOTHING,
    extra: Html = _NOTHING,
) -> str:
    """Return a whole page around `body`."""
    head = el(
        "head",
        el("meta", charset="utf-8"),
        el("meta", name="viewport", content="width=device-width, initial-scale=1"),
        el("meta", name="color-scheme", content="light dark"),
        el("title", title),
        el("link", rel="stylesheet", href="/webview/assets/style.css"),
        el("script", src="/webview/assets/pages.js", defer=True),
        extra,
    )
    tagline = (
        [el("small", connector.tagline_fr if lang == "fr" else connector.tagline_en)] if connector else []
    )
    top = el(
        "header",
        el("span", connector.name if connector else text(lang, "brand"), *tagline, class_="brand"),
        marks,
        el("span", text(lang, "secure"), class_="lock"),
        class_="top bank-top" if connector else "top",
    )
    foot = el("footer", text(lang, "simulated"), class_="foot")
    accent = f"--accent:#{connector.color if connector else _ACCENT}"
    page = el("body", top, el("main", body, class_="card"), foot, style=accent)
    return f"<!doctype html>\n{el('html', head, page, lang=lang)}\n"


def progress(visit: Visit) -> Html:
    """Return the progress marks at the top of a page."""
    present = _STEP_OF.get(visit.step, visit.step)
    if present not in _STEPS:
        return _NOTHING
    place = _STEPS.index(present)
    marks = join(el("i", class_="on" if number <= place else "") for number in range(len(_STEPS)))
    return el("span", marks, class_="dots", role="img", aria_label=f"{place + 1} / {len(_STEPS)}")


def heading(visit: Visit, key: str, lead: str | None = None, **values: object) -> Html:
    """Return title, problem and lead of a page, with the bank's monogram when one is chosen."""
    chosen = visit.connector if visit.step is not Step.CHOOSE else None
    mark = avatar(chosen, "big") if chosen else _NOTHING
    parts = [el("div", mark, el("h1", text(visit.lang, key, **values)), class_="head")]
    if visit.problem:
        sentence = problem_text(visit.lang, visit.problem)
        said = el("q", visit.bank_message) if visit.bank_message else _NOTHING
        parts.append(el("p", sentence, " ", said, class_="problem", role="alert"))
    if lead:
        parts.append(el("p", text(visit.lang, lead, **values), class_="lead"))
    return join(parts)


def page(visit: Visit, title: str, *body: str, extra: Html = _NOTHING) -> str:
    """Return a page of a visit."""
    connector = None if visit.step in {Step.CHOOSE, Step.MANAGE} else visit.connector
    marks = progress(visit)
    return frame(visit.lang, title, join(body), connector=connector, marks=marks, extra=extra)


def form(action: str | None, *content: str, **attributes: str | bool | int | None) -> Html:
    """Return a form that posts to the page itself, with its action inside when it has only one."""
    hidden = el("input", type="hidden", name="action", value=action) if action else _NOTHING
    return el("form", hidden, *content, method="post", autocomplete="off", **attributes)


def primary(visit: Visit, label: str, action: str | None = None, *, focus: bool = False) -> Html:
    """Return the button that goes on."""
    name = "action" if action else None
    return el("button", text(visit.lang, label), class_="primary", name=name, value=action, autofocus=focus)


def quiet(visit: Visit, label: str, action: str) -> Html:
    """Return a form that holds one quiet button."""
    button = el("button", text(visit.lang, label), class_="link", name="action", value=action)
    return form(None, button, class_="quiet")


def row(*content: str) -> Html:
    """Return quiet buttons side by side."""
    return el("div", *content, class_="row")
