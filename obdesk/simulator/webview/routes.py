"""The webview's addresses: who may open it, what it shows, how it calls back."""

from __future__ import annotations

from importlib import resources
from typing import TYPE_CHECKING
from urllib.parse import parse_qs, urlencode

from starlette.responses import HTMLResponse, JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from obdesk.simulator.webview import actions, flows, pages
from obdesk.simulator.webview.texts import LANGUAGES
from obdesk.simulator.webview.visits import Flow, Step, Visit, VisitBook, callback_url
from obdesk.simulator.world.entities import TokenKind, User
from obdesk.simulator.world.tokens import TEMPORARY_LIFE_S

if TYPE_CHECKING:
    from starlette.requests import Request

    from obdesk.simulator.bank.connectors import Connector
    from obdesk.simulator.world.entities import Connection
    from obdesk.simulator.world.world import World

_SCREENS = ("en", "fr", "de", "nl", "pt", "it", "es")
_FLOWS = (Flow.CONNECT, Flow.RECONNECT, Flow.MANAGE)
_ASSETS = {"style.css": "text/css; charset=utf-8", "pages.js": "text/javascript; charset=utf-8"}
_HEADERS = {
    "cache-control": "no-store",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "style-src-attr 'unsafe-inline'; base-uri 'none'; frame-ancestors 'none'",
}


class Webview:
    """The pages over HTTP, and the visits that are under way."""

    def __init__(self, world: World, book: VisitBook) -> None:
        self._world = world
        self._book = book
        self._visits = book.visits

    def routes(self) -> list[Route]:
        """Return the routes, to be mounted under the webview's root."""
        return [
            Route("/assets/{name}", self._asset),
            Route("/{flow:str}", self._without_language),
            Route("/{lang}/visit/{visit}", self._visit, methods=["GET", "POST"]),
            Route("/{lang}/visit/{visit}/status", self._status),
            Route("/{lang}/{flow}", self._open),
        ]

    def old_routes(self) -> list[Route]:
        """Return the API's old webview addresses, which lead to the present ones."""
        return [
            Route("/auth/webview/{flow}", self._moved),
            Route("/auth/webview/{lang}/{flow}", self._moved),
        ]

    async def _moved(self, request: Request) -> Response:
        parts, query = request.path_params, dict(request.query_params)
        lang = f"{parts['lang']}/" if "lang" in parts else ""
        query.setdefault("domain", self._world.options.domain)
        return RedirectResponse(f"/webview/{lang}{parts['flow']}?{urlencode(query)}", 302)

    async def _asset(self, request: Request) -> Response:
        name = str(request.path_params["name"])
        if name not in _ASSETS:
            return Response(status_code=404)
        content = resources.files("obdesk.simulator.webview").joinpath("assets", name).read_bytes()
        return Response(content, media_type=_ASSETS[name], headers={"cache-control": "max-age=60"})

    async def _without_language(self, request: Request) -> Response:
        if self._world.switches.webview_lang_required:
            return HTMLResponse("<html><body><h1>503 ERROR</h1></body></html>", status_code=503)
        wanted = request.headers.get("accept-language", "en")[:2].lower()
        return self._start(request, wanted if wanted in LANGUAGES else "en")

    async def _open(self, request: Request) -> Response:
        lang = str(request.path_params["lang"])
        return self._start(request, lang if lang in LANGUAGES else "en")

    def _start(self, request: Request, lang: str) -> Response:
        self._world.tick()
        flow = next((flow for flow in _FLOWS if flow.value == request.path_params["flow"]), None)
        if flow is None or str(request.path_params.get("lang", "en")) not in _SCREENS:
            return self._error(lang, "error.visit", 404)
        params = dict(request.query_params)
        problem = self._refused(params, flow)
        if problem is not None:
            return self._error(lang, problem, 400)
        return self._enter(flow, lang, params)

    def _refused(self, params: dict[str, str], flow: Flow) -> str | None:
        """Return why the webview will not open, None when the application is in order."""
        options = self._world.options
        domain = params.get("domain", "").removesuffix(".biapi.pro")
        if domain != options.domain:
            return "error.domain"
        if params.get("client_id") != options.client_id:
            return "error.client"
        redirect = params.get("redirect_uri")
        if redirect is None and flow is Flow.MANAGE:
            return None
        return None if redirect in self._world.redirect_uris else "error.redirect"

    def _enter(self, flow: Flow, lang: str, params: dict[str, str]) -> Response:
        world = self._world
        code, redirect = params.get("code"), params.get("redirect_uri")
        user: User | None
        if code is None and flow is Flow.CONNECT:
            user = User(world.new_id("user"), world.now, world.now + TEMPORARY_LIFE_S)
            world.users[user.id] = user
        else:
            token = world.tokens.use(code or "", world.now)
            usable = token is not None and token.kind in {
                TokenKind.CODE,
                TokenKind.TEMPORARY,
                TokenKind.PERMANENT,
            }
            user = world.token_user(token) if token is not None and usable else None
        if user is None:
            if redirect is None:
                return self._error(lang, "error.code", 400)
            values = {
                "error": "session_expired",
                "error_description": "The code has expired or was already used",
            }
            return self._back(redirect, values, params.get("state"))
        visit = Visit(
            id=self._book.new_id(),
            flow=flow,
            lang=lang,
            user=user,
            redirect_uri=redirect,
            state=params.get("state"),
            step=Step.CHOOSE,
            anonymous=code is None,
            params=params,
        )
        if flow is Flow.RECONNECT:
            wanted = params.get("connection_id", "")
            connection = world.connections.get(int(wanted)) if wanted.isdigit() else None
            if connection is None or connection.id_user != user.id:
                return self._error(lang, "error.connection", 404)
            visit.connection = connection
        flows.first_step(world, visit)
        self._visits[visit.id] = visit
        return RedirectResponse(f"/webview/{lang}/visit/{visit.id}", 303, headers=_HEADERS)

    async def _visit(self, request: Request) -> Response:
        self._world.tick()
        visit = self._visits.get(str(request.path_params["visit"]))
        if visit is None or visit.user.id not in self._world.users:
            return self._error(str(request.path_params["lang"]), "error.visit", 404)
        if request.method == "POST":
            form = parse_qs((await request.body()).decode(errors="replace"), keep_blank_values=True)
            result = actions.act(self._world, visit, form.get("action", [""])[0], form)
            return self._again(visit) if result is None else self._end(visit, result)
        flows.check_app(self._world, visit)
        if visit.step is Step.DONE:
            result = actions.act(self._world, visit, "finish", {})
            return self._again(visit) if result is None else self._end(visit, result)
        return self._html(self._render(visit, request.query_params.get("q", "")))

    async def _status(self, request: Request) -> Response:
        self._world.tick()
        visit = self._visits.get(str(request.path_params["visit"]))
        if visit is None:
            return JSONResponse({"step": "gone", "left_s": 0}, headers=_HEADERS)
        flows.check_app(self._world, visit)
        left_s = 0 if visit.connection is None else flows.app_left_s(self._world, visit.connection)
        return JSONResponse({"step": visit.step.value, "left_s": left_s}, headers=_HEADERS)

    def _again(self, visit: Visit) -> Response:
        return RedirectResponse(f"/webview/{visit.lang}/visit/{visit.id}", 303, headers=_HEADERS)

    def _end(self, visit: Visit, values: dict[str, str]) -> Response:
        if visit.redirect_uri is None or self._world.switches.callback_lost:
            return self._html(pages.done_page(visit))
        del self._visits[visit.id]
        return self._back(visit.redirect_uri, values, visit.state)

    def _back(self, redirect: str, values: dict[str, str], state: str | None) -> Response:
        everything = values if state is None else {**values, "state": state}
        return RedirectResponse(callback_url(redirect, everything), 302, headers=_HEADERS)

    def _render(self, visit: Visit, search: str) -> str:
        world, connector = self._world, visit.connector
        if visit.step is Step.MANAGE:
            return pages.manage_page(visit, world.connections_of(visit.user))
        if visit.step is Step.CHOOSE or connector is None:
            needle = search.strip().lower()
            found = [item for item in flows.choices_of(world, visit) if needle in item.name.lower()]
            found.sort(key=lambda item: item.beta + item.never_fails)  # real banks come first
            return pages.choose_page(visit, found, search)
        if visit.step is Step.BANK:
            return pages.bank_page(visit, connector, world.switches.consent_days)
        if visit.step is Step.LOGIN or visit.connection is None:
            return pages.login_page(visit, connector)
        return self._render_linked(visit, connector, visit.connection)

    def _render_linked(self, visit: Visit, connector: Connector, connection: Connection) -> str:
        match visit.step:
            case Step.OTP:
                return pages.otp_page(visit, connector, self._world.switches.otp_code)
            case Step.APP:
                return pages.app_page(visit, connector, flows.app_left_s(self._world, connection))
            case Step.ACCOUNTS:
                accounts = [
                    (account, True, flows.allowed(connection, account))
                    for account in connection.accounts
                    if account.deleted is None
                ]
                return pages.accounts_page(visit, connector, accounts)
            case Step.MORE:
                return pages.more_page(visit, connector)
            case _:
                return pages.notice_page(
                    visit, connector, _notice(connection.state), connection.error_message
                )

    def _error(self, lang: str, key: str, status: int) -> Response:
        return self._html(pages.error_page(lang if lang in LANGUAGES else "en", key), status)

    @staticmethod
    def _html(content: str, status: int = 200) -> Response:
        return HTMLResponse(content, status_code=status, headers=_HEADERS)


def _notice(state: str | None) -> str:
    if state is None:
        return "fine"
    return "act" if state in {"actionNeeded", "passwordExpired"} else "wait"
