"""Going to a bank's own page without the webview."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.simulator.api.answers import Answer
from obdesk.simulator.api.errors import ApiError, invalid, missing, not_found
from obdesk.simulator.webview.visits import Flow, Step, Visit, VisitBook
from obdesk.simulator.world.entities import TokenKind

if TYPE_CHECKING:
    from starlette.routing import Route

    from obdesk.simulator.api.call import Call, Desk
    from obdesk.simulator.bank.connectors import Connector
    from obdesk.simulator.world.entities import Connection, User


class WebauthDesk:
    """The two routes, around the book of visits that the bank's page is one of."""

    def __init__(self, book: VisitBook) -> None:
        self._book = book

    def routes(self, desk: Desk) -> list[Route]:
        """Return the routes of this module."""
        return [desk.route("/webauth-url", get=self.address), desk.route("/webauth", get=self.redirect)]

    def address(self, call: Call) -> Answer:
        """Return the bank's address to add or mend a connection; 409 when there is nothing to mend."""
        return Answer({"url": self._open(call, call.user())})

    def redirect(self, call: Call) -> Answer:
        """Send a browser to the bank; the token is a temporary code."""
        token = call.world.tokens.use(call.required("token"), call.world.now)
        user = None if token is None or token.kind is not TokenKind.CODE else call.world.token_user(token)
        if user is None:
            raise ApiError(
                call.world.switches.invalid_token_status, "invalidToken", "Unknown or expired code"
            )
        status = call.world.switches.webauth_redirect_status
        return Answer({}, status, {"location": self._open(call, user)})

    def _open(self, call: Call, user: User) -> str:
        if call.required("client_id") != call.world.options.client_id:
            raise invalid("Unknown client")
        redirect = call.required("redirect_uri")
        if "?" in redirect or redirect not in call.world.redirect_uris:
            raise invalid("redirect_uri is not registered, or has a query string")
        connector, connection = self._wanted(call, user)
        visit = Visit(
            id=self._book.new_id(),
            flow=Flow.WEBAUTH,
            lang=connector.language.value,
            user=user,
            redirect_uri=redirect,
            state=call.text("state"),
            step=Step.BANK,
            connector=connector,
            connection=connection,
        )
        self._book.visits[visit.id] = visit
        return f"{call.base_url}/webview/{visit.lang}/visit/{visit.id}"

    @staticmethod
    def _wanted(call: Call, user: User) -> tuple[Connector, Connection | None]:
        wanted = call.text("id_connection")
        if wanted:
            connection = call.world.connections.get(int(wanted)) if wanted.isdigit() else None
            if connection is None or connection.id_user != user.id:
                raise not_found("Connection")
            if connection.state is None:
                raise ApiError(409, "invalidValue", "This connection needs nothing")
            return connection.connector, connection
        key = call.text("connector_uuid") or call.text("id_connector")
        if not key:
            raise missing("connector_uuid")
        connector = call.world.branches.connector(key)
        if connector is None:
            raise not_found("Connector")
        return connector, None
