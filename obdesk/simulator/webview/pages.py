"""The pages as HTML."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.simulator.bank.connectors import Sca
from obdesk.simulator.webview.flows import ON_SITE
from obdesk.simulator.webview.html import Html, el, join
from obdesk.simulator.webview.layout import avatar, form, frame, heading, page, primary, quiet, row
from obdesk.simulator.webview.texts import kind_text, number_ending, text
from obdesk.simulator.world.syncing import NEEDS_PERSON

if TYPE_CHECKING:
    from collections.abc import Iterable

    from obdesk.simulator.bank.connectors import Connector, LoginField
    from obdesk.simulator.webview.visits import Visit
    from obdesk.simulator.world.entities import Account, Connection

    Choices = Iterable[tuple[Account, bool, bool]]


def choose_page(visit: Visit, connectors: Iterable[Connector], search: str) -> str:
    """Return the list of banks with its search field."""
    lang = visit.lang
    tiles = [_tile(visit, connector) for connector in connectors]
    prompt = text(lang, "choose.search")
    field = el(
        "input", id="q", name="q", type="search", value=search, placeholder=prompt, autocomplete="off",
        autofocus=True, data_filter="banks",
    )  # fmt: skip
    return page(
        visit,
        text(lang, "choose.title"),
        heading(visit, "choose.title", "choose.lead"),
        el(
            "form",
            el("label", prompt, for_="q", class_="hidden"),
            field,
            el("noscript", el("button", text(lang, "choose.button"))),
            method="get",
            role="search",
            class_="search",
        ),
        form("choose", el("ul", *tiles, class_="banks", id="banks")),
        el("p", text(lang, "choose.none"), class_="none", id="banks-none", role="status", hidden=bool(tiles)),
        el("p", text(lang, "choose.terms"), class_="small"),
        row(quiet(visit, "cancel", "cancel"), quiet(visit, "choose.decline", "decline")),
    )


def _tile(visit: Visit, connector: Connector) -> Html:
    tagline = connector.tagline_fr if visit.lang == "fr" else connector.tagline_en
    beta = [" ", el("small", text(visit.lang, "beta"), class_="chip")] if connector.beta else []
    name = el("span", connector.name, *beta, el("small", tagline), class_="name")
    button = el("button", avatar(connector), name, class_="bank", name="connector", value=connector.uuid)
    return el("li", button, data_name=connector.name.lower())


def login_page(visit: Visit, connector: Connector) -> str:
    """Return the bank's login form, made from the connector's fields."""
    lang = visit.lang
    wanted = [field for field in connector.fields if field.required or field.name in visit.prefill]
    optional = [field for field in connector.fields if field not in wanted]
    inputs = [_input(visit, field, first=not place) for place, field in enumerate([*wanted, *optional])]
    hint = "login.hint.test" if connector.sca is Sca.SCRIPTED else "login.hint"
    return page(
        visit,
        text(lang, "login.title", bank=connector.name),
        heading(visit, "login.title", "login.lead", bank=connector.name),
        form(
            "login",
            *inputs,
            el("p", text(lang, hint), class_="hint"),
            primary(visit, "login.submit"),
            class_="fields",
        ),
        row(quiet(visit, "cancel", "cancel"), quiet(visit, "back", "back")),
    )


def _input(visit: Visit, field: LoginField, *, first: bool) -> Html:
    value = visit.prefill.get(field.name, "")
    marker = [] if field.required else [" ", el("small", text(visit.lang, "optional"), class_="chip")]
    ident, name = f"f-{field.name}", f"field.{field.name}"
    if field.kind == "list":
        blank = [] if field.required else [el("option", value="")]
        options = [
            el("option", choice.label, value=choice.value, selected=choice.value == value)
            for choice in field.choices
        ]
        control = el(
            "select", *blank, *options, id=ident, name=name, required=field.required, autofocus=first
        )
    else:
        kind = field.kind if field.kind in {"password", "date"} else "text"
        control = el(
            "input", id=ident, name=name, type=kind, value=None if kind == "password" else value,
            pattern=field.regex, required=field.required, autofocus=first, autocapitalize="none",
            autocomplete="current-password" if kind == "password" else "off",
            spellcheck="false",
        )  # fmt: skip
    return el("div", el("label", field.label(visit.lang), *marker, for_=ident), control, class_="field")


def otp_page(visit: Visit, connector: Connector, code: str) -> str:
    """Return the page that asks for a one-time code."""
    lang = visit.lang
    control = el(
        "input", id="code", name="code", class_="code", inputmode="numeric", autocomplete="one-time-code",
        maxlength=12, required=True, autofocus=True,
    )  # fmt: skip
    return page(
        visit,
        text(lang, "otp.title"),
        heading(visit, "otp.title", "otp.lead", bank=connector.name),
        form(
            "otp",
            el("div", el("label", text(lang, "otp.label"), for_="code"), control, class_="field"),
            el("p", text(lang, "otp.hint", code=code), class_="hint"),
            primary(visit, "otp.submit"),
            class_="fields",
        ),
        row(quiet(visit, "cancel", "cancel"), quiet(visit, "otp.again", "again")),
    )


def app_page(visit: Visit, connector: Connector, left_s: int) -> str:
    """Return the page that waits for an approval in the bank's app."""
    lang = visit.lang
    clock = el("span", f"{left_s // 60}:{left_s % 60:02}", class_="left", data_left=left_s)
    return page(
        visit,
        text(lang, "app.title"),
        heading(visit, "app.title", "app.lead", bank=connector.name),
        el(
            "div",
            el("span", class_="spinner", aria_hidden="true"),
            el("span", text(lang, "app.waiting"), " · ", clock, " ", text(lang, "app.left")),
            class_="waiting",
            data_poll=f"/webview/{lang}/visit/{visit.id}/status",
        ),
        el("p", text(lang, "app.nothing"), class_="small"),
        form(None, primary(visit, "app.approve", "approve", focus=True)),
        row(quiet(visit, "cancel", "cancel"), quiet(visit, "app.refuse", "refuse")),
        extra=el("noscript", el("meta", http_equiv="refresh", content="3")),
    )


def bank_page(visit: Visit, connector: Connector, days: int) -> str:
    """Return the bank's own consent page, where webauth logins end up."""
    lang = visit.lang
    return page(
        visit,
        text(lang, "bank.title", bank=connector.name),
        heading(visit, "bank.title", "bank.lead", bank=connector.name, days=days),
        el("ul", el("li", text(lang, "bank.scopes")), class_="scopes"),
        form(None, primary(visit, "bank.allow", "allow", focus=True)),
        row(quiet(visit, "cancel", "cancel"), quiet(visit, "bank.deny", "deny")),
    )


def _ticks(visit: Visit, accounts: Choices) -> Html:
    """Return ticks for accounts, given with whether each is ticked and whether it may be."""
    rows = []
    for account, ticked, allowed in accounts:
        locked = [] if allowed else [" ", el("small", text(visit.lang, "accounts.locked"), class_="chip")]
        ending = number_ending(account.iban or account.number)
        facts = f"{kind_text(visit.lang, account.kind)} · {ending} · {account.currency}"
        box = el(
            "input", type="checkbox", name="account", value=account.id, checked=ticked and allowed,
            disabled=not allowed,
        )  # fmt: skip
        name = el("span", account.name, *locked, el("small", facts), class_="name")
        rows.append(el("li", el("label", box, name, class_="account")))
    return el("ul", *rows, class_="accounts")


def accounts_page(visit: Visit, connector: Connector, accounts: Choices) -> str:
    """Return the page where the person says which accounts may be read."""
    return page(
        visit,
        text(visit.lang, "accounts.title"),
        heading(visit, "accounts.title", "accounts.lead", bank=connector.name),
        form("accounts", _ticks(visit, accounts), primary(visit, "accounts.submit", focus=True)),
        row(quiet(visit, "cancel", "cancel")),
    )


def more_page(visit: Visit, connector: Connector) -> str:
    """Return the page that offers to add another bank."""
    return page(
        visit,
        text(visit.lang, "more.title", bank=connector.name),
        heading(visit, "more.title", "more.lead", bank=connector.name),
        form(None, primary(visit, "more.finish", "finish", focus=True)),
        row(quiet(visit, "more.add", "another")),
    )


def notice_page(visit: Visit, connector: Connector, key: str, message: str | None) -> str:
    """Return a page that explains a state one can only read about; `key` is fine, wait or act."""
    said = [el("blockquote", message, class_="said")] if message else []
    label = "notice.act.done" if key == "act" else "continue"
    return page(
        visit,
        text(visit.lang, f"notice.{key}", bank=connector.name),
        heading(visit, f"notice.{key}", f"notice.{key}.lead", bank=connector.name),
        *said,
        form(None, primary(visit, label, "noticed", focus=True)),
        row(quiet(visit, "cancel", "cancel")),
    )


def done_page(visit: Visit) -> str:
    """Return the page of a visit that ended without an address to return to."""
    return page(visit, text(visit.lang, "done.title"), heading(visit, "done.title", "done.lead"))


def manage_page(visit: Visit, connections: Iterable[Connection]) -> str:
    """Return the list of the person's banks with what can be done about each."""
    lang = visit.lang
    cards = join(_managed(visit, connection) for connection in connections)
    return page(
        visit,
        text(lang, "manage.title"),
        heading(visit, "manage.title", "manage.lead"),
        cards or el("p", text(lang, "manage.none"), class_="lead"),
        form(None, primary(visit, "manage.close", "close")),
        row(quiet(visit, "manage.add", "add")),
    )


def _managed(visit: Visit, connection: Connection) -> Html:
    lang = visit.lang
    state = text(lang, f"state.{_standing(connection)}")
    accounts = [
        (account, account.disabled is None, True)
        for account in connection.accounts
        if account.deleted is None
    ]
    buttons = [
        el("button", text(lang, f"manage.{action}"), class_="link", name="action", value=action)
        for action in ("save", "repair", "remove")
    ]
    title = el("h2", connection.connector.name)
    return form(
        None,
        el("input", type="hidden", name="connection", value=connection.id),
        el("div", avatar(connection.connector), title, el("small", state, class_="chip"), class_="head"),
        _ticks(visit, accounts),
        row(*buttons),
        class_="managed",
    )


def _standing(connection: Connection) -> str:
    if connection.state is None:
        return "fine"
    return "person" if connection.state in NEEDS_PERSON | ON_SITE else "wait"


def error_page(lang: str, key: str) -> str:
    """Return a page that ends here: it never calls back."""
    mark = el("span", "!", class_="avatar big", style="--bank:#B3261E", aria_hidden="true")
    body = join(
        [
            el("div", mark, el("h1", text(lang, "error.title")), class_="head"),
            el("p", text(lang, key), class_="problem", role="alert"),
            el("p", text(lang, "error.lead"), class_="lead"),
        ]
    )
    return frame(lang, text(lang, "error.title"), body)
