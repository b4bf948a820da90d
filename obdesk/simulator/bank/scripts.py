"""What the test connector does for each value of its list field; other banks follow their own SCA."""

from __future__ import annotations

from enum import Enum
from typing import TYPE_CHECKING

from obdesk.simulator.bank.connectors import Choice, LoginField, Sca

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obdesk.simulator.bank.connectors import Connector


class Script(Enum):
    """How a login, and every later demand for the person's presence, goes at a bank."""

    SUCCESS = "success"
    WRONGPASS = "wrongpass"
    PASSWORD_EXPIRED = "passwordExpired"  # noqa: S105 - a state's name
    ACTION_NEEDED = "actionNeeded"
    OTP = "additionalInformationNeeded"
    APP = "decoupled"
    APP_CANCELLED = "decoupled, cancelled in the app"
    APP_EXPIRED = "decoupled, ran out of time"
    WEBAUTH = "webauthRequired"
    WEBSITE_UNAVAILABLE = "websiteUnavailable"


TEST_CHOICES = (
    Choice("par", "Particuliers"),
    Choice("pro", "Professionnels"),
    Choice("wrongpass", "Erreur : identifiants refusés"),
    Choice("passwordExpired", "Erreur : mot de passe expiré"),
    Choice("actionNeeded", "Erreur : action requise à la banque"),
    Choice("additionalInformationNeeded", "Code reçu par SMS"),
    Choice("shortDecoupled", "Validation dans l'application"),
    Choice("AppValidationCancelled", "Validation refusée dans l'application"),
    Choice("AppValidationExpired", "Validation expirée dans l'application"),
    Choice("webauthRequired", "Connexion sur le site de la banque"),
    Choice("websiteUnavailable", "Erreur : banque indisponible"),
)

_BY_CHOICE = {
    "par": Script.SUCCESS,
    "pro": Script.SUCCESS,
    "wrongpass": Script.WRONGPASS,
    "passwordExpired": Script.PASSWORD_EXPIRED,
    "actionNeeded": Script.ACTION_NEEDED,
    "additionalInformationNeeded": Script.OTP,
    "shortDecoupled": Script.APP,
    "AppValidationCancelled": Script.APP_CANCELLED,
    "AppValidationExpired": Script.APP_EXPIRED,
    "webauthRequired": Script.WEBAUTH,
    "websiteUnavailable": Script.WEBSITE_UNAVAILABLE,
}

_BY_SCA = {
    Sca.NONE: Script.SUCCESS,
    Sca.OTP: Script.OTP,
    Sca.APP: Script.APP,
    Sca.WEBAUTH: Script.WEBAUTH,
    Sca.SCRIPTED: Script.SUCCESS,
}

REFUSED_PASSWORD = "wrong"  # noqa: S105 - what a person types to see a refusal
TEST_PASSWORD = "1234"  # noqa: S105 - the documented password of the test connector


def otp_field(connector: Connector) -> LoginField:
    """Return the field that asks for the one-time code."""
    name = "openapisms" if connector.sca is Sca.SCRIPTED else "code"
    sources = tuple(source.name for source in connector.sources)
    return LoginField(
        name, "text", "Code SMS", "Code from the text message", regex="^[0-9]+$", sources=sources
    )


def script_for(connector: Connector, values: Mapping[str, str]) -> Script | None:
    """Return how a login with `values` goes, or None when a list value is not one of the choices."""
    if connector.never_fails:
        return Script.SUCCESS
    if connector.sca is not Sca.SCRIPTED:
        return Script.WRONGPASS if values.get("password") == REFUSED_PASSWORD else _BY_SCA[connector.sca]
    chosen = [
        value for name in ("openapiwebsite", "directaccesswebsite", "website") if (value := values.get(name))
    ]
    script = _BY_CHOICE.get(chosen[0]) if chosen else Script.SUCCESS
    if script is Script.SUCCESS and values.get("password", TEST_PASSWORD) != TEST_PASSWORD:
        return Script.WRONGPASS
    return script
