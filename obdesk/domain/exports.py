"""How transactions are written to a file, and what was written."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CsvOptions:
    """How a CSV file is written."""

    bom: bool = False
    """A byte order mark helps some spreadsheets to see UTF-8."""


@dataclass(frozen=True, slots=True)
class CsvReport:
    """What was written."""

    path: str
    rows: int
    bytes_written: int
