"""A key told twice: two answers to one question are none, wherever money or identity depend on it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from obdesk.domain.conditions import Condition
from obdesk.domain.outcomes import Broken
from obdesk.domain.remote import PageRows, RowProblem
from obdesk.providers.powens.pages import NotAPageError, read_page
from obdesk.providers.powens.rows import decode_rows
from obdesk.providers.powens.strict import (
    TOLD_ONCE,
    RepeatedKeyError,
    are_told_once,
    is_told_once,
    members_of,
    told_twice,
)
from tests.providers.scripted import answer, in_turn
from tests.providers.test_rows import EXPONENTS, SAMPLE

if TYPE_CHECKING:
    from tests.providers.conftest import Benches

GOOD = json.dumps(SAMPLE | {"id": 5})
BAD = json.dumps(SAMPLE)


def decode(*rows: str) -> PageRows:
    return decode_rows(f"[{','.join(rows)}]".encode(), EXPONENTS, ZoneInfo("Europe/Paris"))


@pytest.mark.parametrize("key", TOLD_ONCE)
@pytest.mark.parametrize(
    "second",
    ['"{key}": null', '"{key}" : null', '"{key}":\n -7', '"{escaped}": null', '"{key}": {{"{key}": 1}}'],
)
def test_F07_a_row_that_tells_a_key_twice_is_refused_alone(key: str, second: str) -> None:
    more = second.format(key=key, escaped=f"\\u{ord(key[0]):04x}{key[1:]}")
    twice = f"{BAD[:-1]}, {more}}}"

    page = decode(GOOD, twice)

    assert [row.provider_id for row in page.rows] == [5]
    [problem] = page.problems
    assert (problem.kind, problem.detail) == ("repeated_key", key)
    assert problem.subject == ("" if key == "id" else "700412")
    assert problem.account_provider_id == (None if key == "id_account" else 1801)


def test_F07_a_key_told_twice_is_not_made_up_for_by_a_row_that_leaves_it_out() -> None:
    without = json.dumps({key: value for key, value in (SAMPLE | {"id": 5}).items() if key != "coming"})
    twice = f'{BAD[:-1]}, "coming": true}}'

    page = decode(without, twice)

    assert [row.provider_id for row in page.rows] == [5]
    assert page.problems == (RowProblem("repeated_key", "700412", "coming", 1801),)


def test_a_key_of_that_name_deeper_down_or_in_a_text_is_no_second_one() -> None:
    deeper = json.dumps(SAMPLE | {"informations": {"value": 1, "id": 3, "date": "x"}})
    quoted = json.dumps(SAMPLE | {"id": 6, "original_wording": 'PAID "value": 7, "id": 8 \\u0061'})
    abroad = json.dumps(SAMPLE | {"id": 7, "original_currency": {"id": "USD", "precision": 2}})

    page = decode(GOOD, deeper, quoted, abroad)

    assert [row.provider_id for row in page.rows] == [5, 700412, 6, 7]
    assert page.problems == ()


@given(keys=st.lists(st.sampled_from([*TOLD_ONCE, "wording", "x"]), max_size=12), compact=st.booleans())
def test_what_is_called_told_once_is_told_once(keys: list[str], compact: bool) -> None:  # noqa: FBT001 - Hypothesis chooses
    colon, comma = (":", ",") if compact else (": ", ", ")
    row = "{" + comma.join(f'"{key}"{colon}7' for key in keys) + "}"

    twice = [key for key in TOLD_ONCE if keys.count(key) > 1]

    assert told_twice(row.encode(), TOLD_ONCE) == twice
    if set(TOLD_ONCE) <= set(keys):
        assert are_told_once(f"[{row}]".encode(), 1) is (not twice)
    assert is_told_once(row.encode()) is (len(set(keys)) == len(keys))


@pytest.mark.parametrize(
    "body",
    [
        '{"transactions": [], "transactions": []}',
        '{"transactions": [7], "transactions": [7, 8]}',
        '{"total": 12, "transactions": [], "total": 1}',
        '{"total":1,"transactions":[],"total":1}',
        '{"transactions": [], "tot\\u0061l": 0, "total": 0}',
        '{"transactions": [], "_links": {"next": null, "next": {"href": "?cursor=b"}}}',
        '{"transactions": [], "_links": {"next": {"href": "?a", "href": "?b"}}}',
    ],
)
def test_F07_a_page_that_tells_a_key_twice_is_refused(body: str) -> None:
    with pytest.raises(NotAPageError, match="tells a key twice"):
        read_page(body.encode(), "transactions")


@given(
    members=st.dictionaries(
        st.text(st.characters(exclude_categories=["Cs"], exclude_characters='"\\'), max_size=4),
        st.recursive(
            st.none() | st.integers() | st.text(max_size=4),
            lambda inner: (
                st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3)
            ),
            max_leaves=6,
        ),
        max_size=5,
    ),
    indent=st.sampled_from([None, 0, 3]),
)
def test_members_are_found_whatever_stands_between_them(
    members: dict[str, object], indent: int | None
) -> None:
    body = json.dumps(members, indent=indent, ensure_ascii=False)
    plain = {key: value for key, value in members.items() if json.dumps(key, ensure_ascii=False)[1:-1] == key}
    if plain != members:
        return  # a key with escapes is refused, whatever it is

    found = members_of(body.encode())

    assert {key: msgspec.json.decode(raw) for key, raw in found.items()} == members
    if members:
        key = next(iter(members))
        again = body[:-1].rstrip() + f", {json.dumps(key, ensure_ascii=False)}: 0}}"
        with pytest.raises(RepeatedKeyError):
            members_of(again.encode())


@pytest.mark.anyio
@pytest.mark.parametrize("account", ['"balance": 1, "balance": 2', '"currency": {"id": "EUR", "id": "USD"}'])
async def test_F07_a_list_of_accounts_with_a_key_told_twice_is_not_believed(
    bench: Benches, account: str
) -> None:
    body = f'{{"accounts": [{{"id": 1801, {account}}}]}}'
    async with bench.before(in_turn(answer(body.encode()))) as b:
        outcome = await b.provider.accounts("311")

    assert outcome == Broken(Condition.BAD_ANSWER, "1 of 1 accounts cannot be told apart")


@pytest.mark.anyio
async def test_F07_a_refused_page_leaves_its_length_and_digest_and_nothing_else(bench: Benches) -> None:
    body = b'{"connections": "FR7612345678901234567890185"'
    async with bench.before(in_turn(answer(body))) as b:
        outcome = await b.provider.connections()

    detail = "page 1 is not a list of connections (45 bytes, sha256 "
    assert isinstance(outcome, Broken)
    assert outcome.detail.startswith(detail)
    assert len(outcome.detail) == len(detail) + 17
