"""Paging through transactions: what is asked, where links may lead, and when pages are believed."""

from __future__ import annotations

import json
from datetime import date
from typing import TYPE_CHECKING, Any

import pytest

from obdesk.domain.conditions import Condition
from obdesk.domain.outcomes import PAGE_SHIFT, ActionNeeded, Broken, Fetched, RetryLater
from obdesk.providers.powens import pages as pages_module
from obdesk.providers.powens.pages import TransactionPage, read_page
from tests.providers.scripted import answer, answer_json, error, html, in_turn

if TYPE_CHECKING:
    from collections.abc import Mapping

    from obdesk.domain.outcomes import Failure
    from tests.providers.conftest import Bench, Benches
    from tests.providers.scripted import Asked, Script

pytestmark = pytest.mark.anyio

OLDEST = date(2023, 3, 1)
EXPONENTS = {1801: 2}


def row(row_id: int, **more: object) -> dict[str, Any]:
    """Return a plain transaction."""
    plain: dict[str, Any] = {
        "id": row_id,
        "id_account": 1801,
        "date": "2026-01-14",
        "value": -23.9,
        "coming": False,
        "last_update": "2026-01-14 05:11:58",
    }
    return plain | more


def page_of(*ids: int, following: str | None = None, total: int | None = 3, **more: object) -> bytes:
    """Return a page with these rows; more members join its envelope."""
    links = {"prev": None, "self": None, "next": following and {"href": following}}
    return answer_json({"transactions": [row(each) for each in ids], "total": total, "_links": links} | more)


async def read_all(b: Bench, since: str | None = None) -> list[TransactionPage | Failure]:
    """Return everything that a read of the transactions yields."""
    return [page async for page in b.provider.transactions("311", since=since, oldest=OLDEST)]


def ids_of(pages: list[TransactionPage | Failure]) -> list[int]:
    """Return the ids of all rows of pages."""
    found = []
    for page in pages:
        assert isinstance(page, TransactionPage)
        found += [each.provider_id for each in page.decode(EXPONENTS).rows]
    return found


def following(links: Mapping[str | None, str | None]) -> Script:
    """Serve pages by cursor; each page holds one row, the number of the page."""

    def script(asked: Asked) -> bytes:
        cursor = asked.query.get("cursor", [None])[0]
        return page_of(list(links).index(cursor) + 1, following=links[cursor])

    return script


async def test_a_ledger_is_asked_for_with_dates_deletions_and_full_pages(bench: Benches) -> None:
    async with bench.before(in_turn(page_of(1))) as b:
        await read_all(b)
        await read_all(b, since="2026-01-12 03:00:00")

    first, delta = b.server.asked
    assert first.path == "/2.0/users/me/connections/311/transactions"
    expected = {"limit": ["1000"], "filter": ["date"], "min_date": ["2023-03-01"], "all": [""]}
    assert first.query == expected
    assert delta.query == expected | {"last_update": ["2026-01-12 03:00:00"]}


async def test_links_are_followed_verbatim_to_the_end(bench: Benches) -> None:
    cursor = "W3sib3AiOiAibHQifV0%3D"
    async with bench.before(lambda _: b"") as b:
        there = f"{b.server.root}/users/me/connections/311/transactions?limit=1000&cursor={cursor}&all"
        b.server.script = in_turn(page_of(1, 2, following=there), page_of(3))
        pages = await read_all(b)

    assert ids_of(pages) == [1, 2, 3]
    assert b.server.asked[1].target.endswith(f"?limit=1000&cursor={cursor}&all")


@pytest.mark.parametrize("there", ["/2.0/users/me/transactions?cursor=b", "?cursor=b"])
async def test_F11_relative_links_are_resolved(bench: Benches, there: str) -> None:
    async with bench.before(following({None: there, "b": None})) as b:
        assert ids_of(await read_all(b)) == [1, 2]


@pytest.mark.parametrize(
    "there",
    [
        "http://127.0.0.2:{port}/2.0/users/me/transactions?cursor=b",
        "https://127.0.0.1:{port}/2.0/users/me/transactions?cursor=b",
        "http://127.0.0.1:1/2.0/users/me/transactions?cursor=b",
        "http://127.0.0.1:{port}@evil.example/2.0/x",
        "http://me@127.0.0.1:{port}/2.0/x",
        "http://127.0.0.1:{port}/2.0evil/x",
        "http://127.0.0.1:{port}/x",
        "http://127.0.0.1:{port}/2.0/../x",
        "http://127.0.0.1:{port}/2.0/%2e%2e/x",
        "//evil.example/2.0/x",
        "../../../../../x",
        "javascript:alert(1)",
        "http://[::1",
        "http://" + "a" * 70_000,
    ],
    ids=lambda there: there[:50],
)
async def test_F11_the_bearer_is_never_sent_elsewhere(bench: Benches, there: str) -> None:
    async with bench.before(lambda _: b"") as b:
        b.server.script = in_turn(page_of(1, following=there.format(port=b.server.port)))
        pages = await read_all(b)

    assert len(b.server.asked) == 1
    assert pages == [Broken(Condition.BAD_ANSWER, "the next link leads elsewhere")]


async def test_F11_a_link_that_repeats_ends_the_reading(bench: Benches) -> None:
    links = {None: "?cursor=b", "b": "?cursor=c", "c": "?cursor=b"}
    async with bench.before(following(links)) as b:
        pages = await read_all(b)

    assert pages[-1] == Broken(Condition.BAD_ANSWER, "the next link repeats")
    assert len(b.server.asked) == 3


async def test_F11_a_server_that_ignores_its_cursor_ends_the_reading(bench: Benches) -> None:
    async with bench.before(
        in_turn(page_of(1, following="?cursor=b"), page_of(1, following="?cursor=c"))
    ) as b:
        pages = await read_all(b)

    assert pages[-1] == Broken(Condition.BAD_ANSWER, "the same rows again")


async def test_F11_pages_are_capped(bench: Benches, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pages_module, "PAGES_MAX", 3)
    links: dict[str | None, str | None] = {None: "?cursor=2"}
    links |= {str(number): f"?cursor={number + 1}" for number in range(2, 9)}
    async with bench.before(following(links)) as b:
        pages = await read_all(b)

    assert pages[-1] == Broken(Condition.BAD_ANSWER, "more than 3 pages")
    assert len(b.server.asked) == 3


async def test_F09_a_total_that_changes_between_pages_is_a_page_shift(bench: Benches) -> None:
    async with bench.before(in_turn(page_of(1, following="?cursor=b", total=2), page_of(2, total=3))) as b:
        pages = await read_all(b)

    assert pages[-1] == Broken(Condition.BAD_ANSWER, PAGE_SHIFT)


async def test_a_full_page_without_links_of_a_longer_list_is_not_taken_for_all(bench: Benches) -> None:
    rows = [row(each) for each in range(1, 1_001)]
    async with bench.before(in_turn(answer_json({"transactions": rows, "total": 1_139}))) as b:
        [failure] = await read_all(b)
        b.server.script = in_turn(answer_json({"transactions": rows, "total": 1_000}))
        assert len(ids_of(await read_all(b))) == 1_000

    assert isinstance(failure, Broken)


async def test_the_other_spelling_of_the_links_is_read(bench: Benches) -> None:
    first = answer_json({"transactions": [row(1)], "_link": {"next": {"href": "?cursor=b"}}, "total": "2"})
    async with bench.before(in_turn(first, page_of(2, total=2))) as b:
        assert ids_of(await read_all(b)) == [1, 2]


async def test_a_failure_is_the_last_thing_and_comes_after_tries(bench: Benches) -> None:
    async with bench.before(in_turn(page_of(1, following="?cursor=b"), html(503))) as b:
        pages = await read_all(b)

    assert ids_of(pages[:-1]) == [1]
    assert pages[-1] == RetryLater(Condition.PROVIDER_DOWN, None, "http_503")
    assert len(b.server.asked) == 1 + b.limits.tries


async def test_a_user_without_shared_accounts_has_no_rows(bench: Benches) -> None:
    async with bench.before(in_turn(error("noAccount", 409))) as b:
        assert ids_of(await read_all(b)) == []
        assert await b.provider.accounts("311") == Fetched(())


async def test_a_connection_that_is_gone_says_so(bench: Benches) -> None:
    async with bench.before(in_turn(error("notFound", 404))) as b:
        gone = ActionNeeded(Condition.GONE, "notfound")
        assert await read_all(b) == [gone]
        assert await b.provider.accounts("311") == gone
        assert await b.provider.refresh("311", attended=True) == gone

    assert b.server.count("PUT", "/311") == 0


async def test_a_connection_id_cannot_lead_to_another_path(bench: Benches) -> None:
    async with bench.before(in_turn(error("notFound", 404))) as b:
        await b.provider.accounts("../../users/7?x=")

    assert b.server.asked[0].target == "/2.0/users/me/connections/..%2F..%2Fusers%2F7%3Fx%3D/accounts?all="


def _body(rows: str, **envelope: object) -> bytes:
    head = json.dumps(envelope)[1:-1]
    return f'{{"transactions": {rows}, {head}}}'.encode()


def test_the_digest_is_over_the_rows_alone() -> None:
    rows = json.dumps([row(1), row(2)])
    one = read_page(_body(rows, first_date="2023-03-01", total=2, _links={"next": None}), "transactions")
    two = read_page(
        _body(rows, first_date="2023-04-01", total=2, _links={"next": {"href": "?cursor=b"}}), "transactions"
    )
    other = read_page(_body(json.dumps([row(1), row(2, value=-23.91)]), total=2), "transactions")

    assert one.digest == two.digest != other.digest


async def test_a_large_page_is_the_same_as_its_small_parts(bench: Benches) -> None:
    rows = [row(each, original_wording="x" * 200) for each in range(1, 900)]
    async with bench.before(in_turn(answer(json.dumps({"transactions": rows}).encode()))) as b:
        assert ids_of(await read_all(b)) == list(range(1, 900))


def test_a_page_shows_nothing_of_its_rows_when_it_is_printed() -> None:
    page = read_page(_body(json.dumps([row(1, original_wording="RENT")]), total=1), "transactions")

    assert "RENT" not in repr(page)
