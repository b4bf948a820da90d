"""One request as handlers see it: who asks, for what, with which parameters."""

from __future__ import annotations

import asyncio
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from starlette.routing import Route

from obdesk.simulator.api.answers import Answer, json_response
from obdesk.simulator.api.body import as_bool, as_int, parse_body
from obdesk.simulator.api.errors import ApiError, error_json, invalid, missing, not_found
from obdesk.simulator.world.entities import Token, TokenKind

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable

    from starlette.requests import Request
    from starlette.responses import Response

    from obdesk.simulator.world.entities import Account, Connection, User
    from obdesk.simulator.world.world import World

USER_KINDS = frozenset({TokenKind.TEMPORARY, TokenKind.PERMANENT, TokenKind.CODE})
_MAX_LIMIT = 1_000


@dataclass(slots=True)
class Call:
    """A parsed request."""

    world: World
    method: str
    path: str
    query: dict[str, str]
    query_text: str
    parts: dict[str, Any]
    body: dict[str, Any]
    authorization: str | None
    base_url: str
    _token: Token | None = field(default=None)

    def token(self, *kinds: TokenKind) -> Token:
        """Return the bearer token if it is one of `kinds`; raises the API's 401 or 403."""
        if self._token is None:
            header = self.authorization or ""
            scheme, _, value = header.partition(" ")
            if scheme.lower() != "bearer" or not value.strip():
                raise ApiError(401, "unauthorized", "Missing or malformed authorization header")
            self._token = self.world.tokens.use(value.strip(), self.world.now)
            if self._token is None:
                status = self.world.switches.invalid_token_status
                raise ApiError(status, "invalidToken", "Unknown, expired or revoked token")
        if kinds and self._token.kind not in kinds:
            raise ApiError(403, "forbidden", "This token is not allowed to do that")
        return self._token

    def user(self) -> User:
        """Return the user of the path, who must be the owner of the token."""
        token = self.token()
        wanted = self.parts.get("user", "me")
        if token.kind is TokenKind.USERS and wanted.isdigit():
            found = self.world.users.get(int(wanted))
        else:
            owner = self.world.token_user(self.token(*USER_KINDS))
            found = owner if owner is not None and wanted in {"me", str(owner.id)} else None
            if found is None:
                status = self.world.switches.foreign_user_status
                raise ApiError(
                    status, "forbidden" if status == 403 else "notFound", "Not the user of this token"
                )
        if found is None:
            raise not_found("User")
        return found

    def connection(self) -> Connection:
        """Return the connection of the path, which must belong to the user."""
        user = self.user()
        connection = self.world.connections.get(as_int(self.parts["connection"]))
        if connection is None or connection.id_user != user.id:
            raise not_found("Connection")
        return connection

    def scope(self) -> list[tuple[Connection, Account]]:
        """Return the accounts that the path speaks of: one, a connection's, or all of the user's."""
        user = self.user()
        connections = [self.connection()] if "connection" in self.parts else self.world.connections_of(user)
        pairs = [(connection, account) for connection in connections for account in connection.accounts]
        if "account" in self.parts:
            wanted = as_int(self.parts["account"])
            pairs = [pair for pair in pairs if pair[1].id == wanted]
            if not pairs or (pairs[0][1].disabled is not None and not self.flag("all")):
                raise not_found("Account")
        return pairs

    def text(self, name: str) -> str | None:
        """Return a query parameter."""
        return self.query.get(name)

    def required(self, name: str) -> str:
        """Return a query parameter that must be there."""
        value = self.query.get(name)
        if not value:
            raise missing(name)
        return value

    def flag(self, name: str) -> bool:
        """Whether a query flag is set: `?all`, `?all=` and `?all=true` are the same."""
        return name in self.query and as_bool(self.query[name])

    def optional_flag(self, name: str) -> bool | None:
        """Return a boolean parameter, None when it was not sent."""
        return as_bool(self.query[name]) if name in self.query else None

    def integer(self, name: str, default: int) -> int:
        """Return an integer parameter."""
        return as_int(self.query[name]) if self.query.get(name) else default

    def window(self, default_limit: int = _MAX_LIMIT) -> tuple[int, int]:
        """Return offset and limit of a list."""
        limit, offset = self.integer("limit", default_limit), self.integer("offset", 0)
        if not 0 < limit <= _MAX_LIMIT:
            raise invalid(f"limit must be between 1 and {_MAX_LIMIT}")
        if offset < 0:
            raise invalid("offset must not be negative")
        return offset, limit

    def expand(self) -> dict[str, list[str]]:
        """Return the sub-resources to include, each with what to include inside it."""
        return parse_expand(self.query.get("expand", ""))

    def field(self, name: str) -> str:
        """Return a member of the body that must be there, as text."""
        value = self.body.get(name, self.query.get(name))
        if value is None or value == "":
            raise missing(name)
        return str(value)

    def paged(self, key: str, items: Iterable[dict[str, Any]], **more: Any) -> Answer:
        """Return a list in the API's envelope, cut by offset and limit."""
        everything = list(items)
        offset, limit = self.window()
        body: dict[str, Any] = {key: everything[offset : offset + limit], **more}
        if self.world.switches.total_present:
            body["total"] = len(everything)
        return Answer(body)


def parse_expand(text: str) -> dict[str, list[str]]:
    """Return `a,b[c,d],e.f` as {a: [], b: [c, d], e: [f]}; raises invalidValue for unbalanced brackets."""
    result: dict[str, list[str]] = {}
    if text.count("[") != text.count("]"):
        raise invalid("expand has unbalanced brackets")
    for name, inner in re.findall(r"([a-z_.]+)(?:\[([^\]]*)\])?", text):
        first, _, dotted = name.partition(".")
        nested = [part.strip() for part in inner.split(",") if part.strip()] + ([dotted] if dotted else [])
        result.setdefault(first, []).extend(nested)
    return result


def _not_allowed(call: Call) -> Answer:
    status = call.world.switches.method_not_allowed_status
    raise ApiError(status, "methodNotAllowed", "Verb not supported here")


class Desk:
    """Turns handlers into routes: parses, moves the world to now, answers, writes errors."""

    def __init__(self, world: World, base_url: Callable[[Request], str]) -> None:
        self._world = world
        self._base_url = base_url
        self._requests = 884_211_906

    def route(self, path: str, **handlers: Callable[[Call], Answer]) -> Route:
        """Return a route; keyword names are HTTP methods in lower case."""
        methods = {name.upper(): handler for name, handler in handlers.items()}

        async def endpoint(request: Request) -> Response:
            return await self._serve(request, methods)

        return Route(path, endpoint, methods=["GET", "POST", "PUT", "PATCH", "DELETE", "HEAD"])

    async def _serve(self, request: Request, methods: dict[str, Callable[[Call], Answer]]) -> Response:
        self._requests += 1
        switches = self._world.switches
        self._world.tick()
        try:
            handler = methods.get(request.method, _not_allowed)
            answer = handler(await self.read(request))
        except ApiError as error:
            body = error_json(switches, error, self._requests)
            answer = Answer(body, error.status, error.headers)
        if answer.delay_s:
            await asyncio.sleep(answer.delay_s)
        return json_response(switches, answer)

    async def read(self, request: Request) -> Call:
        """Parse a request."""
        raw = await request.body()
        return Call(
            world=self._world,
            method=request.method,
            path=request.url.path,
            query=dict(request.query_params),
            query_text=request.url.query,
            parts=dict(request.path_params),
            body=parse_body(request.headers.get("content-type", ""), raw),
            authorization=request.headers.get("authorization"),
            base_url=self._base_url(request),
        )

    def lost(self) -> Callable[[Request], Awaitable[Response]]:
        """Return the endpoint for addresses that do not exist."""

        async def endpoint(request: Request) -> Response:
            del request
            self._requests += 1
            error = ApiError(404, "notFound", "No such route")
            return json_response(
                self._world.switches, Answer(error_json(self._world.switches, error, self._requests), 404)
            )

        return endpoint
