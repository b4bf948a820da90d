"""Where a visit goes: which banks it may choose, which page follows from the state of a connection."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.simulator.bank.connectors import Connector, Sca
from obdesk.simulator.bank.scripts import TEST_CHOICES, Script
from obdesk.simulator.webview.visits import Flow, Step, Visit
from obdesk.simulator.world import linking

if TYPE_CHECKING:
    from obdesk.simulator.world.entities import Account, Connection
    from obdesk.simulator.world.world import World

_AUTOMATIC = frozenset({"rateLimiting", "websiteUnavailable", "bug"})
ON_SITE = frozenset({"actionNeeded", "passwordExpired"})


def choices_of(world: World, visit: Visit) -> list[Connector]:
    """Return the banks a visit may choose from."""
    uuids, ids = visit.listed("connector_uuids"), visit.listed("connector_ids")
    capabilities = set(visit.listed("connector_capabilities") or ("bank",))
    country = visit.params.get("connector_country", "").lower()
    return [
        connector
        for connector in world.branches.connectors
        if not connector.hidden
        and not connector.restricted
        and capabilities <= set(connector.capabilities)
        and (not (uuids or ids) or connector.uuid in uuids or str(connector.id) in ids)
        and (not country or connector.country == country)
    ]


def first_step(world: World, visit: Visit) -> None:
    """Put a fresh visit on its first page."""
    if visit.flow is Flow.MANAGE:
        visit.step, visit.managing = Step.MANAGE, True
    elif visit.flow is Flow.RECONNECT and visit.connection is not None:
        start_repair(world, visit, visit.connection)
    else:
        choices = choices_of(world, visit)
        named = visit.listed("connector_uuids") or visit.listed("connector_ids")
        visit.step = Step.CHOOSE
        if named and len(choices) == 1:
            pick(visit, choices[0])


def pick(visit: Visit, connector: Connector) -> None:
    """Go to the login of a bank, prefilled as the visit's address says."""
    visit.connector = connector
    prefix = f"{connector.uuid}."
    visit.prefill = {
        name.removeprefix(prefix): value for name, value in visit.params.items() if name.startswith(prefix)
    }
    if connector.sca is Sca.SCRIPTED:
        visit.prefill.setdefault("openapiwebsite", TEST_CHOICES[0].value)
    visit.step = Step.BANK if connector.sca is Sca.WEBAUTH else Step.LOGIN


def start_repair(world: World, visit: Visit, connection: Connection) -> None:
    """Go to the page that mends a connection, asking the bank for a new challenge when needed."""
    visit.connection, visit.connector = connection, connection.connector
    visit.prefill = {name: value for name, value in connection.values.items() if name != "password"}
    state = connection.state
    if visit.params.get("reset_credentials") == "true" or state == "wrongpass":
        visit.step = Step.BANK if connection.connector.sca is Sca.WEBAUTH else Step.LOGIN
    elif state is None or state in _AUTOMATIC or state in ON_SITE:
        visit.step = Step.NOTICE
    else:
        if connection.pending_script is None:
            linking.challenge(world, connection, linking.renewal_script(connection.connector))
        follow(visit, connection)


def follow(visit: Visit, connection: Connection) -> None:
    """Show the page that goes with the connection's state."""
    match connection.state:
        case "additionalInformationNeeded":
            visit.step = Step.OTP
        case "decoupled" | "validating":
            visit.step = Step.APP
        case "webauthRequired":
            visit.step = Step.BANK
        case None if visit.flow is Flow.CONNECT and connection.id not in visit.linked:
            visit.step = Step.ACCOUNTS
        case None:
            visit.step = Step.DONE
        case _:
            visit.step = Step.NOTICE


def check_app(world: World, visit: Visit) -> None:
    """Let the bank's app answer by itself once it had its time."""
    connection = visit.connection
    if visit.step is not Step.APP or connection is None:
        return
    if connection.state not in {"decoupled", "validating"}:
        follow(visit, connection)
    elif app_left_s(world, connection) == 0:
        answer_app(world, visit, connection)


def app_left_s(world: World, connection: Connection) -> int:
    """Return how long the bank's app still waits before it answers by itself."""
    life_s = world.switches.app_auto_approve_s or world.switches.unfinished_life_s
    since = connection.pending_since if connection.pending_since is not None else world.now
    return max(0, since + life_s - world.now)


def answer_app(world: World, visit: Visit, connection: Connection) -> None:
    """Take the answer of the bank's app."""
    linking.finish_validation(world, connection)
    if connection.state == "SCARequired":
        visit.problem = "app"
        retry(world, visit, connection)
    else:
        follow(visit, connection)


def retry(world: World, visit: Visit, connection: Connection) -> None:
    """Ask the bank for another challenge after one that failed."""
    linking.challenge(world, connection, connection.script if _is_waiting(connection.script) else Script.APP)
    follow(visit, connection)


def _is_waiting(script: Script) -> bool:
    return script in {Script.OTP, Script.APP, Script.APP_CANCELLED, Script.APP_EXPIRED, Script.WEBAUTH}


def allowed(connection: Connection, account: Account) -> bool:
    """Whether the address that started the visit lets this account be enabled."""
    if connection.allowed_ibans and account.iban not in connection.allowed_ibans:
        return False
    return not connection.allowed_types or account.kind in connection.allowed_types
