"""Every behaviour of the simulator that can be changed while it runs, in one table.

Where the public documentation of the real service is silent or contradicts itself, the behaviour is a
switch here; the default is the answer that seems likeliest. `POST {control_url}/switches` sets them,
`GET {control_url}/switches` lists them with their meaning. One-off failures (429, truncated bodies,
foreign links...) are not switches: see `faults.py`.
"""

from __future__ import annotations

from dataclasses import dataclass, field, fields
from typing import TypeVar

SwitchValue = bool | int | str
_T = TypeVar("_T", bool, int, str)


def _switch(default: _T, meaning: str, *choices: _T) -> _T:
    value: _T = field(default=default, metadata={"meaning": meaning, "choices": choices})
    return value


@dataclass(slots=True)
class Switches:
    """The switch positions of one simulator; each field is a switch, its default is the start position."""

    # Shapes on the wire
    naive_zone: str = _switch("Europe/Paris", "zone of naive DateTimes", "Europe/Paris", "UTC")
    datetime_style: str = _switch("space", "how DateTimes are written", "space", "iso", "iso_z")
    number_style: str = _switch("number", "decimals as numbers or strings", "number", "string")
    null_style: str = _switch("null", "null members are written or left out", "null", "absent")
    account_type_style: str = _switch("string", "an account's type", "string", "object")
    currency_style: str = _switch("object", "an account's currency", "object", "id_only")
    request_id_style: str = _switch("int", "request_id of an error", "int", "string", "null")
    error_description: bool = _switch(True, "errors carry a description")
    links_key: str = _switch("_links", "name of the paging links", "_links", "_link")
    links_style: str = _switch("absolute", "href of the paging links", "absolute", "relative")
    total_present: bool = _switch(True, "lists carry a total")
    empty_list_dates: str = _switch("null", "dates of an empty transaction list", "null", "absent")
    type_names: str = _switch("new", "summary_card/loan_repayment or their old names", "new", "old")
    source_style: str = _switch("flat", "a connection source's name", "flat", "nested")
    access_token_key: str = _switch("access_token", "key of an exchanged token", "access_token", "token")
    categories: bool = _switch(False, "the categorisation product is on")

    # Statuses and codes
    create_connection_status: int = _switch(201, "status of a finished POST connections", 201, 200)
    no_account_status: int = _switch(409, "status of noAccount", 409, 400)
    no_account_error: bool = _switch(True, "transactions of a user without accounts: noAccount or empty")
    wrongpass_code: str = _switch("wrongpass", "spelling of refused credentials", "wrongpass", "wrongPass")
    method_not_allowed_status: int = _switch(405, "status of methodNotAllowed")
    foreign_user_status: int = _switch(403, "status when the id is another user's", 403, 404)
    invalid_token_status: int = _switch(401, "status of an unknown or expired token", 401, 403)
    too_many_sync_status: int = _switch(409, "status of tooManySync", 409, 429)
    webauth_returns_state: bool = _switch(True, "webauth without state calls back with the connection's")
    webauth_redirect_status: int = _switch(307, "redirect of /webauth", 307, 302)

    # Requests
    limit_required: bool = _switch(True, "transactions without limit answer 400 missingParameter")
    default_limit: int = _switch(1000, "limit of transactions when it is not required")
    default_window: str = _switch("all", "transactions without dates", "all", "last_month")
    value_bounds_absolute: bool = _switch(False, "min_value and max_value compare absolute values")
    code_type: str = _switch(
        "requestAccess", "type of a temporary code when omitted", "requestAccess", "singleAccess"
    )
    renew_creates_user: bool = _switch(True, "auth/renew without id_user creates a user")
    hidden_needs_all: bool = _switch(True, "hidden connectors are listed only with the config token and all")
    prefixless_routes: bool = _switch(True, "/connections/{id} works like /users/me/connections/{id}")
    rate_limit_per_min: int = _switch(0, "calls per minute and client before 429; 0 is no limit")
    rate_limit_retry_after: bool = _switch(True, "the 429 of the limit carries Retry-After")
    max_connections: int = _switch(50, "connections of the whole domain")

    # Money at the banks
    coming_to_booked: str = _switch(
        "same_id", "a pending row that books keeps its id or gets a new one", "same_id", "new_id"
    )
    coming_in_balance: bool = _switch(False, "balance already contains the pending rows")
    recreated_ids: bool = _switch(True, "a re-created connection numbers its accounts anew")
    reenabled_ids: bool = _switch(True, "a re-enabled account numbers its rows anew")
    renumber_on_reconnect: bool = _switch(False, "the reconnect flow gives accounts new ids, same IBAN")
    renumbered_disabled: bool = _switch(False, "renumbered accounts come back disabled")

    # Syncs
    sync_mode: str = _switch(
        "ok",
        "answer of PUT connection",
        "ok",
        "accepted",
        "conflict",
        "wrapped",
        "slow",
        "rate_limiting",
    )
    sync_slow_s: int = _switch(60, "seconds a slow PUT takes, real time")
    sync_min_gap_s: int = _switch(0, "seconds between forced syncs before tooManySync")
    import_delay_s: int = _switch(0, "seconds between enabling an account and its rows, virtual time")
    refresh_adds_rows: bool = _switch(True, "a forced refresh with the user present tends to find new rows")
    refresh_rows_gap_s: int = _switch(20, "seconds before a refresh finds invented new rows again")
    auto_sync: bool = _switch(True, "connections sync by themselves")
    auto_sync_period_s: int = _switch(86_400, "seconds between automatic syncs")
    retry_after_failure_s: int = _switch(3_600, "seconds until a failed sync is tried again")
    unattended_per_day: int = _switch(0, "syncs a day without the user before rateLimiting; 0 is no limit")

    # Consent and strong authentication
    consent_days: int = _switch(180, "days a consent lasts")
    unfinished_life_s: int = _switch(1_800, "seconds before an unfinished connection is purged")
    webauth_life_s: int = _switch(7_200, "seconds a bank's login address lives")
    app_auto_approve_s: int = _switch(20, "seconds until a bank app approves by itself; 0 is never")
    app_result: str = _switch("approved", "what the bank app answers", "approved", "cancelled", "expired")
    otp_code: str = _switch("123456", "the one-time code that invented banks accept")

    # Webview
    webview_lang_required: bool = _switch(False, "webview addresses without a language answer 503")
    callback_lost: bool = _switch(False, "the webview ends on its own page and never calls back")

    # Webhooks
    webhook_gzip: bool = _switch(False, "bodies are compressed")
    webhook_gzip_signs: str = _switch("raw", "bytes signed with gzip", "raw", "compressed")
    webhook_signs_query: bool = _switch(False, "the signed path includes the query string")
    webhook_max_rows: int = _switch(10_000, "rows of one account in a payload")
    webhook_retry_redated: bool = _switch(True, "a retry carries a new signature date")
    webhook_loses_every: int = _switch(0, "every n-th delivery is lost on the way; 0 is none")
    webhook_copies: int = _switch(1, "times each delivery is sent")
    webhook_reorder: bool = _switch(False, "deliveries of a flush leave in reverse order")
    webhook_delay_s: int = _switch(0, "seconds before a delivery leaves, virtual time")
    webhook_timeout_s: int = _switch(10, "seconds a receiver may take")
    webhook_retry_s: int = _switch(300, "seconds before a failed delivery is retried, doubled each time")
    webhook_max_failures: int = _switch(10, "failures in a row after which a flush stops")
    webhook_max_timeouts: int = _switch(2, "timeouts in a row after which a flush stops")
    webhook_give_up: int = _switch(20, "attempts after which a delivery is dropped")

    def put(self, name: str, value: SwitchValue) -> None:
        """Set one switch; raises KeyError for an unknown name, ValueError for an impossible value."""
        known = {item.name: item for item in fields(self)}
        if name not in known:
            raise KeyError(name)
        present = getattr(self, name)
        if type(value) is not type(present):
            raise ValueError(f"{name} wants {type(present).__name__}, not {type(value).__name__}")
        choices = known[name].metadata["choices"]
        if choices and value not in choices:
            raise ValueError(f"{name} is one of {', '.join(str(choice) for choice in choices)}")
        setattr(self, name, value)

    def table(self) -> list[dict[str, object]]:
        """Every switch with its value, default, choices and meaning, in the order of this file."""
        return [
            {
                "name": item.name,
                "value": getattr(self, item.name),
                "default": item.default,
                "choices": list(item.metadata["choices"]),
                "meaning": item.metadata["meaning"],
            }
            for item in fields(self)
        ]
