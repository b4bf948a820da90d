"""Errors as the API writes them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from obdesk.simulator.switches import Switches


class ApiError(Exception):
    """An answer that says no. `message` is the bank's own text, `description` a technical one."""

    def __init__(
        self,
        status: int,
        code: str,
        description: str,
        message: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> None:
        super().__init__(code, description)
        self.status = status
        self.code = code
        self.description = description
        self.message = message
        self.headers = headers or {}


def error_json(switches: Switches, error: ApiError, number: int) -> dict[str, Any]:
    """Return the body of an error; `number` identifies the request."""
    request_ids: dict[str, int | str | None] = {"int": number, "string": str(number), "null": None}
    code = switches.wrongpass_code if error.code == "wrongpass" else error.code
    body: dict[str, Any] = {
        "code": code,
        "message": error.message,
        "request_id": request_ids[switches.request_id_style],
    }
    if switches.error_description:
        body["description"] = error.description
    return body


def missing(name: str) -> ApiError:
    """Return the error for a required parameter that was left out."""
    return ApiError(400, "missingParameter", f"Missing required parameter: {name}")


def invalid(description: str) -> ApiError:
    """Return the error for a value that cannot be used."""
    return ApiError(400, "invalidValue", description)


def not_found(what: str) -> ApiError:
    """Return the error for something that does not exist or is not visible here."""
    return ApiError(404, "notFound", f"{what} not found")
