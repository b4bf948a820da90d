"""Users are made and tokens exchanged here."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from obdesk.simulator.api.answers import Answer
from obdesk.simulator.api.body import as_bool, as_int
from obdesk.simulator.api.errors import ApiError, invalid, not_found
from obdesk.simulator.world.entities import Token, TokenKind, User
from obdesk.simulator.world.events import Event
from obdesk.simulator.world.tokens import TEMPORARY_LIFE_S

if TYPE_CHECKING:
    from starlette.routing import Route

    from obdesk.simulator.api.call import Call, Desk
    from obdesk.simulator.world.world import World

_SCOPES = frozenset(
    {
        "payments:admin",
        "payments:read-only",
        "payments:allow-sensitive",
        "payments:validate",
        "payments:cancel",
        "payments",
        "payment-links:admin",
    }
)


def routes(desk: Desk) -> list[Route]:
    """Return the routes of this module."""
    return [
        desk.route("/auth/init", post=init),
        desk.route("/auth/token/code", get=code, post=code),
        desk.route("/auth/token/access", post=access),
        desk.route("/auth/token", post=service, delete=revoke),
        desk.route("/auth/renew", post=renew),
        desk.route("/clients/{client}", get=client),
    ]


def new_user(world: World, *, permanent: bool) -> User:
    """Make a user, who is forgotten after half an hour unless made permanent."""
    purge_at = None if permanent else world.now + TEMPORARY_LIFE_S
    user = User(world.new_id("user"), world.now, purge_at)
    world.users[user.id] = user
    if permanent:
        world.emit(Event("USER_CREATED", user))
    return user


def make_permanent(world: World, user: User) -> Token:
    """Give a user a permanent token; a temporary user stays from now on."""
    token = world.tokens.issue(TokenKind.PERMANENT, user.id, world.now)
    if user.purge_at is not None:
        user.purge_at = None
        world.emit(Event("USER_CREATED", user))
    return token


def check_client(call: Call) -> None:
    """Make sure that the body carries the credentials of this domain's application."""
    client_id, secret = call.field("client_id"), call.field("client_secret")
    if client_id != call.world.options.client_id or secret != call.world.tokens.client_secret:
        raise ApiError(401, "invalid_client", "Unknown client or wrong secret")


def init(call: Call) -> Answer:
    """Create a user: permanent with the client's credentials, temporary without."""
    permanent = "client_secret" in call.body
    if permanent:
        check_client(call)
    elif "client_id" in call.body and call.field("client_id") != call.world.options.client_id:
        raise ApiError(401, "invalid_client", "Unknown client")
    user = new_user(call.world, permanent=permanent)
    kind = TokenKind.PERMANENT if permanent else TokenKind.TEMPORARY
    token = call.world.tokens.issue(kind, user.id, call.world.now)
    return Answer(
        {
            "auth_token": token.value,
            "type": kind.value,
            "id_user": user.id,
            "expires_in": None if permanent else TEMPORARY_LIFE_S,
        }
    )


def code(call: Call) -> Answer:
    """Issue a temporary code for the webview."""
    user = call.user()
    kind = str(call.body.get("type") or call.text("type") or call.world.switches.code_type)
    if kind not in {"singleAccess", "requestAccess"}:
        raise invalid("type is singleAccess or requestAccess")
    single = kind == "singleAccess"
    token = call.world.tokens.issue(TokenKind.CODE, user.id, call.world.now, single_use=single)
    return Answer(
        {
            "code": token.value,
            "type": "temporary",
            "access": "single" if single else "standard",
            "expires_in": TEMPORARY_LIFE_S,
        }
    )


def access(call: Call) -> Answer:
    """Exchange a code, or a temporary user token, for a permanent token."""
    _grant(call, "authorization_code", required=False)
    check_client(call)
    token = call.world.tokens.use(call.field("code"), call.world.now)
    user = None if token is None else call.world.token_user(token)
    if token is None or user is None or token.kind not in {TokenKind.CODE, TokenKind.TEMPORARY}:
        raise invalid("Unknown, expired or used code")
    return Answer(_exchanged(call.world, make_permanent(call.world, user)))


def renew(call: Call) -> Answer:
    """Issue another permanent token for a known user."""
    _grant(call, "client_credentials", required=True)
    check_client(call)
    world = call.world
    if call.body.get("id_user") in {None, ""}:
        if not world.switches.renew_creates_user:
            call.field("id_user")
        user: User | None = new_user(world, permanent=True)
    else:
        user = world.users.get(as_int(call.body["id_user"]))
    if user is None:
        raise not_found("User")
    token = make_permanent(world, user)
    if as_bool(call.body.get("revoke_previous", False)):
        world.tokens.revoke_user(user.id, keep=token.value)
    return Answer(_exchanged(world, token))


def revoke(call: Call) -> Answer:
    """Revoke the permanent token of this very call."""
    call.world.tokens.revoke(call.token(TokenKind.PERMANENT).value)
    return Answer()


def service(call: Call) -> Answer:
    """Issue a service token, which belongs to no user."""
    _grant(call, "client_credentials", required=True)
    check_client(call)
    scope = call.body.get("scope", "payments:admin")
    scopes = scope if isinstance(scope, list) else str(scope).split()
    if not set(map(str, scopes)) <= _SCOPES:
        raise invalid("Unknown scope")
    text = " ".join(map(str, scopes))
    token = call.world.tokens.issue(TokenKind.SERVICE, None, call.world.now, scope=text)
    return Answer({"token": token.value, "scope": text})


def client(call: Call) -> Answer:
    """Describe the application, with its registered redirect addresses."""
    options = call.world.options
    if call.parts["client"] != options.client_id:
        raise not_found("Client")
    return Answer(
        {
            "id": int(options.client_id),
            "name": options.client_name,
            "redirect_uris": list(call.world.redirect_uris),
            "primary_color": None,
            "secondary_color": None,
            "information": {},
        }
    )


def _grant(call: Call, wanted: str, *, required: bool) -> None:
    grant = call.body.get("grant_type")
    if (grant is None and required) or grant not in {None, wanted}:
        raise invalid(f"grant_type must be {wanted}")


def _exchanged(world: World, token: Token) -> dict[str, Any]:
    return {world.switches.access_token_key: token.value, "token_type": "Bearer"}
