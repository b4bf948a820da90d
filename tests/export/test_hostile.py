"""What a label may contain: nothing in it becomes a formula, and nothing of it is lost."""

from __future__ import annotations

import csv
import io
from typing import TYPE_CHECKING, Any

from hypothesis import example, given, settings
from hypothesis import strategies as st

from obdesk.domain.filters import TransactionFilter
from obdesk.storage.queries import export
from obdesk.storage.queries.export import text_cell
from tests.export.ledger import Ledger, parsed

if TYPE_CHECKING:
    import pytest

FORMULAS = "=+-@\t\r\n＝＋－＝＠"
HOSTILE = (
    '=HYPERLINK("http://example.com","click")',
    "+33612345678",
    "-1+1",
    "@SUM(A1:A9)",
    "\t=1+1",
    "\r=1+1",
    "\n=1+1",
    "＝1+1",
    "＋1",
    "－1",
    "＠SUM(1)",
    "  =1+1",
    "\u00a0=1+1",
    "'=1+1",
    "' '=1+1",
    '"=1+1',
    "a,b;c\td",
    'say "hi", =1',
    "100 % sûr %s %w %lld",
    "line one\r\nline two",
)
_TEXT = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.sampled_from(" '\u00a0\",;\r\n\t%sw0é" + FORMULAS), max_size=8),
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
)


def disarmed(cell: str) -> str:
    """Return the text of a cell as docs/guide.md says: one apostrophe goes where a formula would follow."""
    rest = cell.lstrip(" '\u00a0")
    return cell.replace("'", "", 1) if cell.startswith("'") and rest and rest[0] in FORMULAS else cell


def would_run(cell: str) -> bool:
    """Tell whether a spreadsheet may take a cell for a formula."""
    return cell.lstrip(" \u00a0")[:1] in set(FORMULAS)


@settings(max_examples=40)
@given(st.lists(st.tuples(_TEXT, _TEXT, _TEXT, _TEXT, _TEXT), min_size=1, max_size=5))
@example([(text, text, text, text, text) for text in HOSTILE])
def test_no_cell_begins_a_formula_and_every_text_reads_back(
    tmp_path_factory: pytest.TempPathFactory, texts: list[tuple[str, ...]]
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("hostile"), bank=texts[0][0])
    names = ("payee", "label", "category", "note", "counterparty")
    facts: list[dict[str, Any]] = [
        {name: value for name, value in zip(names, row, strict=True) if name != "note"} for row in texts
    ]
    for transaction, row in zip(ledger.add_many(facts), texts, strict=True):
        ledger.edit(transaction, note=row[3])

    found = sorted(ledger.exported(), key=lambda row: int(row["id"]))
    ledger.connection.close()

    for cells, wanted in zip(found, texts, strict=True):
        assert tuple(disarmed(cells[name]) for name in names) == wanted
        assert disarmed(cells["bank"]) == texts[0][0]
        assert [cell for cell in (cells[name] for name in (*names, "bank")) if would_run(cell)] == []


@settings(max_examples=40)
@given(_TEXT)
@example("'t Zand")
def test_the_same_rule_holds_in_python_and_in_sql(
    tmp_path_factory: pytest.TempPathFactory, text: str
) -> None:
    ledger = Ledger(tmp_path_factory.mktemp("rule"))
    ledger.add(label=text)
    reader = ledger.reader()
    count = export.prepare(reader, TransactionFilter())

    line = export.lines(reader, 1, count).decode()
    reader.close()
    ledger.connection.close()

    assert f',"Boulangerie",{text_cell(text)},"Food",' in line


def test_an_ordinary_apostrophe_is_left_alone(ledger: Ledger) -> None:
    ledger.add(label="'t Zand", payee="L'Épicerie")

    (row,) = ledger.exported()

    assert (row["label"], row["payee"]) == ("'t Zand", "L'Épicerie")


def test_a_hostile_currency_cannot_add_a_cell(ledger: Ledger) -> None:
    ledger.connection.execute("UPDATE accounts SET currency = '=1,\"x' WHERE id = 1")
    ledger.add(original_minor=100, original_exponent=2, original_currency="+1,%s")

    (row,) = ledger.exported()

    assert (row["currency"], row["original_amount"], row["original_currency"]) == (
        "'=1,\"x",
        "1.00",
        "'+1,%s",
    )


def test_texts_are_quoted_and_numbers_are_not(ledger: Ledger) -> None:
    ledger.add(label="0012345", amount_minor=-100)
    stream = io.BytesIO()
    ledger.export(stream)

    line = stream.getvalue().splitlines()[1].decode()
    strict = next(csv.reader(io.StringIO(line), quoting=csv.QUOTE_NONE))

    assert '"0012345"' in strict
    assert "-1.00" in strict
    assert parsed(stream.getvalue())[0]["label"] == "0012345"
