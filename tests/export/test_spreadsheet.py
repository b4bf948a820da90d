"""A real spreadsheet opens the file: no formula, no changed text, the same sums."""

from __future__ import annotations

import shutil
import subprocess
import xml.etree.ElementTree as ET
from decimal import Decimal
from typing import TYPE_CHECKING

import pytest

from tests.export.ledger import DINARS, EUROS, Ledger, sums
from tests.export.test_hostile import HOSTILE, disarmed

if TYPE_CHECKING:
    from pathlib import Path

_OFFICE = "{urn:oasis:names:tc:opendocument:xmlns:office:1.0}"
_TABLE = "{urn:oasis:names:tc:opendocument:xmlns:table:1.0}"
_TEXT = "{urn:oasis:names:tc:opendocument:xmlns:text:1.0}"
# Comma, double quote, UTF-8, first line 1, no column formats, English (US), quoted cells are texts.
_FILTER = "CSV:44,34,76,1,,1033,true"
_LOOKS_LIKE_NUMBERS = ("0012345", "1e5", "1/2", "2026-03-01", "12:30", "1,234.5", "TRUE")

pytestmark = pytest.mark.skipif(shutil.which("soffice") is None, reason="LibreOffice is not installed")


def _reopened(out: Path) -> list[list[tuple[str, str, bool]]]:
    """Return the cells of a file as LibreOffice sees them: its type, its text or value, is it a formula."""
    profile = out.parent / "profile"
    subprocess.run(
        [
            "soffice",
            f"-env:UserInstallation={profile.as_uri()}",
            "--headless",
            f"--infilter={_FILTER}",
            "--convert-to",
            "fods",
            "--outdir",
            str(out.parent),
            str(out),
        ],
        check=True,
        capture_output=True,
        timeout=120,
    )
    tree = ET.parse(out.with_suffix(".fods"))  # noqa: S314 - written by LibreOffice a moment ago
    return [
        [_cell(cell) for cell in row for _ in range(int(cell.get(f"{_TABLE}number-columns-repeated", "1")))]
        for row in tree.iter(f"{_TABLE}table-row")
    ]


def _cell(cell: ET.Element) -> tuple[str, str, bool]:
    kind = cell.get(f"{_OFFICE}value-type", "")
    lines = ["".join(_written(line)) for line in cell.iter(f"{_TEXT}p")]
    value = cell.get(f"{_OFFICE}value") if kind == "float" else "\n".join(lines)
    return kind, value or "", cell.get(f"{_TABLE}formula") is not None


def _written(element: ET.Element) -> list[str]:
    """Return the text of a paragraph, with the runs of spaces and tabs that the format spells out."""
    parts = [element.text or ""]
    for child in element:
        if child.tag == f"{_TEXT}s":
            parts.append(" " * int(child.get(f"{_TEXT}c", "1")))
        elif child.tag == f"{_TEXT}tab":
            parts.append("\t")
        else:
            parts += _written(child)
        parts.append(child.tail or "")
    return parts


@pytest.mark.timeout(180)
def test_libreoffice_sees_the_same_rows(ledger: Ledger, tmp_path: Path) -> None:
    texts = [*HOSTILE, *_LOOKS_LIKE_NUMBERS]
    ledger.add_many(
        [
            {"label": text, "payee": text, "amount_minor": 1 - 137 * n, "account_id": (EUROS, DINARS)[n % 2]}
            for n, text in enumerate(texts)
        ]
    )
    out = tmp_path / "export.csv"
    ledger.export(out)

    header, *rows = [row for row in _reopened(out) if row[0][1]]

    names = [text for _, text, _ in header]
    assert len(rows) == len(texts)
    assert not [cell for row in rows for cell in row if cell[2]], "no formula anywhere"
    seen = [dict(zip(names, row, strict=False)) for row in rows]
    assert {cells[name][0] for cells in seen for name in ("label", "payee", "provider_id")} == {"string"}
    assert {cells["amount"][0] for cells in seen} == {"float"}
    read_back = [{name: cell[1] for name, cell in cells.items()} for cells in seen]
    by_id = sorted(read_back, key=lambda row: int(row["id"]))
    # A spreadsheet has one kind of line end inside a cell.
    assert [disarmed(row["label"]) for row in by_id] == ["\n".join(text.splitlines()) for text in texts]
    assert sums(read_back) == sums(ledger.exported())
    assert all(isinstance(total, Decimal) for total in sums(read_back).values())
