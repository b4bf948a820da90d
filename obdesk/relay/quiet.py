"""Silence for the libraries below: they log whole addresses and headers, which hold tokens."""

from __future__ import annotations

import logging

# A logger's filters do not see its children's records, so each one that speaks is named.
_TALKATIVE = ("httpx", "httpcore.connection", "httpcore.http11", "httpcore.proxy", "httpcore.socks")


def _is_a_warning(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING


def quieten_http_logs() -> None:
    """Drop what the HTTP libraries log below WARNING, whatever level anybody sets; twice is harmless."""
    for name in _TALKATIVE:
        logging.getLogger(name).addFilter(_is_a_warning)
