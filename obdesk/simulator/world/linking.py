"""Logging in at a bank and proving presence: the state machine of a connection."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from obdesk.simulator.bank.connectors import Connector, Sca
from obdesk.simulator.bank.scripts import Script, otp_field, script_for
from obdesk.simulator.world import syncing, tinkering
from obdesk.simulator.world.entities import Connection, ConnectionSource
from obdesk.simulator.world.events import Event

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obdesk.simulator.world.entities import User
    from obdesk.simulator.world.world import World

_DAY_S = 86_400
VALIDATION_S = 2
_MESSAGES = {
    "passwordExpired": ("Votre mot de passe a expiré.", "Your password has expired."),
    "actionNeeded": ("Veuillez accepter les nouvelles conditions.", "Please accept the new terms."),
    "wrongpass": ("Votre code est erroné.", "Your code is wrong."),
    "websiteUnavailable": ("Service momentanément indisponible.", "Service temporarily unavailable."),
    "otp": ("Saisissez le code reçu par SMS", "Enter the code from the text message"),
    "decoupled": ("Validez la demande dans votre application.", "Approve the request in your banking app."),
}


@dataclass(frozen=True, slots=True)
class Refused(Exception):  # noqa: N818 - a bank's answer, not a fault of the program
    """The bank, or the API itself, refused: `code` and the text the bank shows, if any."""

    code: str
    message: str | None = None


def bank_says(connector: Connector, code: str) -> str | None:
    """Return what a bank tells its customer, in its own language."""
    texts = _MESSAGES.get(code)
    return None if texts is None else texts[0 if connector.language.value == "fr" else 1]


def begin(
    world: World, user: User, connector: Connector, source_name: str | None, values: Mapping[str, str]
) -> Connection:
    """Log in for the first time. Raises Refused when nothing of the connection is kept."""
    script = _judged(connector, values)
    if len(world.connections) >= world.switches.max_connections:
        raise Refused("invalidValue", None)
    connection = Connection(
        id=world.new_id("connection"),
        id_user=user.id,
        connector=connector,
        created=world.now,
        values=dict(values),
        script=script,
    )
    add_source(world, connection, source_name)
    world.connections[connection.id] = connection
    challenge(world, connection, script)
    return connection


def _judged(connector: Connector, values: Mapping[str, str]) -> Script:
    script = script_for(connector, values)
    if script is None:
        raise Refused("invalidValue", None)
    if script is Script.WRONGPASS:
        raise Refused("wrongpass", bank_says(connector, "wrongpass"))
    if script is Script.WEBSITE_UNAVAILABLE:
        raise Refused("websiteUnavailable", bank_says(connector, "websiteUnavailable"))
    return script


def add_source(world: World, connection: Connection, name: str | None) -> ConnectionSource:
    """Give a connection one more way in; raises KeyError when the bank has none of that name."""
    source = connection.connector.source_named(name)
    existing = next((item for item in connection.sources if item.id_connector_source == source.id), None)
    if existing is not None:
        return existing
    added = ConnectionSource(world.new_id("source"), source.id, source.name, source.priority, world.now)
    connection.sources.append(added)
    return added


def challenge(world: World, connection: Connection, script: Script) -> None:
    """Go on with a login according to its script: done, or a state that waits for the person."""
    connector = connection.connector
    connection.fields = None
    connection.pending_script, connection.pending_since = script, world.now
    life_s = world.switches.webauth_life_s if script is Script.WEBAUTH else world.switches.unfinished_life_s
    match script:
        case Script.SUCCESS:
            complete(world, connection)
            return
        case Script.PASSWORD_EXPIRED | Script.ACTION_NEEDED:
            syncing.set_trouble(connection, script.value, bank_says(connector, script.value))
            connection.consented, connection.pending_script = True, None
            syncing.fail(world, connection, script.value, bank_says(connector, script.value))
            return
        case Script.OTP:
            connection.fields = (otp_field(connector),)
            _wait(connection, "additionalInformationNeeded", bank_says(connector, "otp"))
        case Script.WEBAUTH:
            address = f"https://{connector.slug.lower()}.bank.invalid/authorize?request={world.tokens.new_value(12)}"
            _wait(connection, "webauthRequired", f"Redirecting to {address}")
        case _:
            _wait(connection, "decoupled", bank_says(connector, "decoupled"))
    connection.expire = world.now + life_s
    connection.sources[0].state = connection.state
    connection.sources[0].expire = connection.expire


def _wait(connection: Connection, state: str, message: str | None) -> None:
    connection.state, connection.error_message = state, message
    connection.next_try = None


def renewal_script(connector: Connector) -> Script:
    """Return how the bank proves presence again; a bank without SCA at login uses its app."""
    match connector.sca:
        case Sca.OTP:
            return Script.OTP
        case Sca.WEBAUTH:
            return Script.WEBAUTH
        case _:
            return Script.APP


def answer(world: World, connection: Connection, values: Mapping[str, str]) -> None:
    """Give the fields a connection waits for: a one-time code, or a new password.

    Raises Refused when the bank does not accept them; the connection keeps waiting.
    """
    connector = connection.connector
    if connection.pending_script is Script.OTP:
        code = values.get(otp_field(connector).name, "")
        _check_code(world, connector, code)
        complete(world, connection)
        return
    script = _judged(connector, {**connection.values, **values})
    connection.values.update(values)
    connection.script = script
    challenge(world, connection, script)


def _check_code(world: World, connector: Connector, code: str) -> None:
    if connector.sca is Sca.SCRIPTED:
        if code == "aaaa":
            raise Refused("bug", None)
        accepted = code == "abcd" or code.isdigit()
    else:
        accepted = code == world.switches.otp_code
    if not accepted:
        raise Refused("wrongpass", bank_says(connector, "wrongpass"))


def resume(world: World, connection: Connection, *, background: bool) -> None:
    """Go on after the person was asked to approve in the bank's app."""
    if connection.state not in {"decoupled", "validating"}:
        return
    connection.state = connection.sources[0].state = "validating"
    if background:
        connection.validates_at = world.now + VALIDATION_S
    else:
        finish_validation(world, connection)


def finish_validation(world: World, connection: Connection) -> None:
    """End a validation as the app answered: approved, or back to asking for presence."""
    connection.validates_at = None
    script = connection.pending_script
    if script is Script.APP and world.switches.app_result == "approved":
        complete(world, connection)
        return
    connection.pending_script = None
    syncing.set_trouble(connection, "SCARequired")
    connection.state, connection.error_message = "SCARequired", None
    connection.sources[0].state = "SCARequired"


def complete(world: World, connection: Connection) -> None:
    """Presence is proved: start a consent, find accounts, sync."""
    syncing.clear_trouble(connection)
    first = not connection.consented
    connection.consented = True
    connection.pending_script = connection.pending_since = connection.expire = connection.fields = None
    connection.validates_at = None
    for source in connection.sources:
        source.access_expire = world.now + world.switches.consent_days * _DAY_S
        source.state = source.expire = None
    if not first and world.switches.renumber_on_reconnect:
        tinkering.renumber(world, connection, disabled=world.switches.renumbered_disabled)
    syncing.sync(world, connection)


def force_sync(world: World, connection: Connection, *, psu: bool) -> None:
    """Sync because somebody asked; `psu` says whether the person is there to prove it."""
    if not psu:
        _unattended(world, connection)
        return
    if connection.state in {"SCARequired", "decoupled", "additionalInformationNeeded", "webauthRequired"}:
        script = renewal_script(connection.connector)
        scripted = connection.connector.sca is Sca.SCRIPTED and connection.script is not Script.SUCCESS
        challenge(world, connection, connection.script if scripted else script)
        return
    if connection.state == "validating":
        return
    tinkering.add_surprises(world, connection)
    syncing.sync(world, connection)


def _unattended(world: World, connection: Connection) -> None:
    if connection.state in syncing.UNFINISHED:
        return
    limit = world.switches.unattended_per_day
    connection.unattended = [at for at in connection.unattended if at > world.now - _DAY_S]
    if limit and len(connection.unattended) >= limit:
        syncing.fail(world, connection, "rateLimiting", None)
        return
    connection.unattended.append(world.now)
    syncing.sync(world, connection)


def delete(world: World, connection: Connection) -> None:
    """Erase a connection with its accounts and rows."""
    del world.connections[connection.id]
    world.emit(Event("CONNECTION_DELETED", world.users[connection.id_user], connection))
