"""Silence for the event loop's library: at DEBUG it logs what every worker was given and gave back."""

from __future__ import annotations

import logging

_LIBRARY = "qasync"


def quieten_loop_logs() -> None:
    """Drop what the library logs below WARNING, whatever level anybody sets; call it once it is imported."""
    # A logger's filters do not see its children's records, so each is named; each class there has its own.
    for name in list(logging.root.manager.loggerDict):
        if name.partition(".")[0] == _LIBRARY:
            logging.getLogger(name).addFilter(_is_a_warning)


def _is_a_warning(record: logging.LogRecord) -> bool:
    return record.levelno >= logging.WARNING
