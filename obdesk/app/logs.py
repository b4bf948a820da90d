"""The log file: what happened without whom it happened to; five files of five mebibytes at most.

Of errors it has types and places, never words (`obdesk.app.unforeseen`).
"""

from __future__ import annotations

import logging
import os
from contextlib import contextmanager
from io import FileIO, TextIOWrapper
from logging.handlers import RotatingFileHandler
from typing import TYPE_CHECKING

from obdesk.app.unforeseen import Wordless

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

FILES = 5
FILE_BYTES_MAX = 5 * 1024 * 1024
NAME = "obdesk.log"
_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"


class _Kept(RotatingFileHandler):
    """A log that only its owner reads, and whose own trouble (a full disk) is nobody's."""

    def _open(self) -> TextIOWrapper:
        handle = os.open(self.baseFilename, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return TextIOWrapper(FileIO(handle, "a"), encoding="utf-8", line_buffering=True)

    def handleError(self, record: logging.LogRecord) -> None:
        """Override Handler.handleError: a line is lost, the program goes on."""


@contextmanager
def kept_log(folder: Path) -> Iterator[Path]:
    """Write what the program logs into a folder while the block runs; return the newest file's path."""
    path = folder / NAME
    handler = _Kept(path, maxBytes=FILE_BYTES_MAX, backupCount=FILES - 1, delay=True)
    handler.setFormatter(Wordless(_FORMAT))
    ours = logging.getLogger("obdesk")
    level = ours.level
    ours.addHandler(handler)
    ours.setLevel(logging.INFO)
    try:
        yield path
    finally:
        ours.removeHandler(handler)
        ours.setLevel(level)
        handler.close()
