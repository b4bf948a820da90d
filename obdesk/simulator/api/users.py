"""Users: listing, reading, erasing, their small key-value store."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.simulator.api.answers import Answer
from obdesk.simulator.api.wire import user_json
from obdesk.simulator.world.entities import TokenKind
from obdesk.simulator.world.events import Event

if TYPE_CHECKING:
    from starlette.routing import Route

    from obdesk.simulator.api.call import Call, Desk


def routes(desk: Desk) -> list[Route]:
    """Return the routes of this module."""
    return [
        desk.route("/users", get=listing),
        desk.route("/users/{user}", get=read, delete=erase),
        desk.route("/users/{user}/config", get=read_config, post=write_config),
    ]


def listing(call: Call) -> Answer:
    """List every user of the domain; only for the users token."""
    call.token(TokenKind.USERS)
    return call.paged("users", (user_json(call.world.switches, user) for user in call.world.users.values()))


def read(call: Call) -> Answer:
    """Return one user."""
    return Answer(user_json(call.world.switches, call.user()))


def erase(call: Call) -> Answer:
    """Erase a user with every connection and all data."""
    user = call.user()
    call.world.emit(Event("USER_DELETED", user))
    call.world.forget_user(user)
    return Answer()


def read_config(call: Call) -> Answer:
    """Return what was stored for the user."""
    return Answer({"config": call.user().config})


def write_config(call: Call) -> Answer:
    """Store values for the user."""
    user = call.user()
    user.config.update({str(key): str(value) for key, value in call.body.items()})
    return Answer({"config": user.config})
