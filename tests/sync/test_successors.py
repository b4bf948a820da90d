"""Accounts of one answer against those that are known: the same, a successor to ask about, or a new one."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest

from obdesk.domain.entities import AccountKind, AccountState
from obdesk.domain.ledger import StoredAccount
from obdesk.sync.reconcile.accounts import Identities, identify
from tests.seed import USD, remote_account

if TYPE_CHECKING:
    from obdesk.domain.remote import RemoteAccount

GONE, ACTIVE, DISABLED = AccountState.GONE, AccountState.ACTIVE, AccountState.DISABLED


def stored(provider_id: int, iban: str = "", **told: Any) -> StoredAccount:
    """Return a living account of this link, whose id of ours is ten less than a hundredfold."""
    first = StoredAccount(
        100 * provider_id - 10,
        provider_id,
        AccountKind.CHECKING,
        iban,
        f"N{provider_id}",
        "EUR",
        gone=False,
        here=True,
        same_bank=True,
    )
    return replace(first, **told)


def listed(provider_id: int, iban: str = "", **told: Any) -> RemoteAccount:
    return replace(remote_account(provider_id), iban=iban, **({"number": f"N{provider_id}"} | told))


def found(
    accounts: list[StoredAccount], answer: list[RemoteAccount], former: dict[int, int] | None = None
) -> Identities:
    """Return what is found, which the order of neither side changes."""
    straight = identify(accounts, answer, former or {})
    reverse = identify(accounts[::-1], answer[::-1], former or {})
    assert (straight.renamed, straight.shadows) == (reverse.renamed, reverse.shadows)
    assert sorted(straight.successors) == sorted(reverse.successors)
    return straight


# The one that came as the one of its kind went

SAVINGS = AccountKind.SAVINGS


@pytest.mark.parametrize(
    ("accounts", "answer", "successors"),
    [
        ([stored(1)], [listed(9)], [(90, 9)]),
        ([stored(1)], [listed(9, kind=SAVINGS)], []),
        ([stored(1)], [listed(9, currency=USD)], []),
        ([stored(1)], [listed(8), listed(9)], []),
        ([stored(1)], [listed(8, kind=SAVINGS), listed(9)], [(90, 9)]),
        ([stored(1)], [listed(8, currency=USD), listed(9)], [(90, 9)]),
        ([stored(1), stored(2)], [listed(9)], []),
        ([stored(1), stored(2, kind=SAVINGS)], [listed(9)], [(90, 9)]),
        ([stored(1), stored(2, currency="USD")], [listed(9)], [(90, 9)]),
        ([stored(1), stored(2)], [listed(2), listed(9)], [(90, 9)]),
        ([stored(1)], [listed(1), listed(9)], []),
        ([stored(1)], [listed(1, state=GONE), listed(9)], [(90, 9)]),
        ([stored(1)], [listed(1, state=DISABLED), listed(9)], []),
        ([stored(1, gone=True)], [listed(9)], []),
        ([stored(1, gone=True, here=False)], [listed(9)], []),
        ([stored(1, here=False)], [listed(9)], []),
        ([stored(1)], [listed(9, state=GONE)], []),
        ([stored(1), stored(2, kind=SAVINGS)], [listed(8, kind=SAVINGS), listed(9)], [(90, 9), (190, 8)]),
    ],
)
def test_the_one_account_that_comes_as_one_of_its_kind_goes_is_asked_about(
    accounts: list[StoredAccount], answer: list[RemoteAccount], successors: list[tuple[int, int]]
) -> None:
    assert sorted(found(accounts, answer).successors) == successors
    assert found(accounts, answer).renamed == {}


@pytest.mark.parametrize(
    ("accounts", "answer", "successors"),
    [
        ([stored(1, "FR1")], [listed(9, "FR1", currency=USD)], [(90, 9)]),
        ([stored(1, "FR1"), stored(2, "FR2")], [listed(9, "FR1", currency=USD)], [(90, 9)]),
        ([stored(1, "FR1"), stored(2, "FR2", currency="USD")], [listed(9, "FR1", currency=USD)], [(90, 9)]),
        ([stored(1, "FR1")], [listed(8, "FR1", currency=USD), listed(9, "FR2", currency=USD)], [(90, 8)]),
        ([stored(1, "FR1"), stored(2, "FR1", currency="CHF")], [listed(9, "FR1", currency=USD)], []),
        ([stored(1, kind=SAVINGS)], [listed(9, currency=USD)], []),
    ],
)
def test_an_iban_that_comes_in_another_currency_is_asked_about_before_a_kind(
    accounts: list[StoredAccount], answer: list[RemoteAccount], successors: list[tuple[int, int]]
) -> None:
    assert found(accounts, answer).successors == successors
    assert found(accounts, answer).renamed == {}


# The same account under another id


@pytest.mark.parametrize(
    ("accounts", "answer", "renamed"),
    [
        ([stored(1, "FR1"), stored(2, "FR2")], [listed(8, "FR2"), listed(9, "FR1")], {8: 190, 9: 90}),
        ([stored(1, number="N9")], [listed(9)], {9: 90}),
        ([stored(1, number="N9", same_bank=False)], [listed(9)], {9: 90}),
        ([stored(1, number="N9", kind=SAVINGS)], [listed(9)], {}),
        ([stored(1, number="N9", currency="USD")], [listed(9)], {}),
        ([stored(1, "FR1", number="N9")], [listed(9)], {}),
        ([stored(1, number="N9", here=False, gone=True)], [listed(9)], {9: 90}),
        ([stored(1, number="N9", here=False, gone=True, same_bank=False)], [listed(9)], {}),
        ([stored(1, "FR1", here=False, gone=True, same_bank=False)], [listed(9, "FR1")], {9: 90}),
        ([stored(1, "FR1", here=False)], [listed(9, "FR1")], {}),
        ([stored(9, "FR1", here=False, gone=True)], [listed(9, "FR1")], {9: 890}),
        ([stored(1, "FR1", number="N1", kind=SAVINGS)], [listed(9, "FR1")], {9: 90}),
        ([stored(1, "FR1")], [listed(8, "FR1", state=GONE), listed(9, "FR1")], {9: 90}),
    ],
)
def test_an_account_is_known_by_its_iban_or_by_its_number_within_its_kind_and_bank(
    accounts: list[StoredAccount], answer: list[RemoteAccount], renamed: dict[int, int]
) -> None:
    now = found(accounts, answer)
    assert now.renamed == renamed
    assert not {ours for ours, _ in now.successors} & set(renamed.values()), "what is known is not asked"
    assert not {came for _, came in now.successors} & renamed.keys()


def test_a_recognised_account_is_out_of_the_way_of_a_successor() -> None:
    now = found([stored(1, "FR1"), stored(2)], [listed(8, "FR1"), listed(9)])
    assert (now.renamed, now.successors) == ({8: 90}, [(190, 9)])


def test_the_old_id_is_ignored_where_it_is_still_listed_and_the_account_is_of_this_link() -> None:
    answer = [listed(1, "FR1", state=GONE), listed(9, "FR1")]
    assert found([stored(1, "FR1")], answer).shadows == {1}
    assert found([stored(1, "FR1")], answer[1:]).shadows == set()
    two = [*answer, listed(2, "FR2", state=GONE), listed(8, "FR2")]
    assert found([stored(1, "FR1"), stored(2, "FR2")], two).shadows == {1, 2}
    elsewhere = [stored(1, "FR1", here=False, gone=True), stored(3)]
    assert found(elsewhere, [*answer, listed(3)]).shadows == set(), "another link's number means nothing here"


# Former ids


@pytest.mark.parametrize(
    ("answer", "renamed", "shadows"),
    [
        ([listed(7), listed(1, state=DISABLED)], {7: 90}, {1}),
        ([listed(7, state=DISABLED)], {7: 90}, set()),
        ([listed(7, state=DISABLED), listed(1, state=DISABLED)], {}, {7}),
        ([listed(7, state=GONE), listed(1, state=GONE)], {}, {7}),
        ([listed(7), listed(1)], {}, {7}),
    ],
)
def test_a_former_id_is_the_account_again_only_where_it_lives_under_that_one(
    answer: list[RemoteAccount], renamed: dict[int, int], shadows: set[int]
) -> None:
    now = found([stored(1)], answer, {7: 90})
    assert (now.renamed, now.shadows, now.successors) == (renamed, shadows, [])


def test_two_accounts_that_go_back_to_former_ids_are_both_ignored_under_their_others() -> None:
    answer = [listed(7), listed(8), listed(1, state=DISABLED), listed(2, state=GONE)]
    now = found([stored(1), stored(2)], answer, {7: 90, 8: 190})
    assert (now.renamed, now.shadows) == ({7: 90, 8: 190}, {1, 2})


def test_an_id_that_an_account_has_now_is_no_former_one() -> None:
    now = found([stored(1), stored(7)], [listed(1), listed(7)], {7: 90})
    assert (now.renamed, now.shadows, now.successors) == ({}, set(), [])


def test_an_account_that_returned_is_no_rival_of_a_stranger() -> None:
    now = found([stored(1, "FR1")], [listed(7, "FR1"), listed(9, "FR1")], {7: 90})
    assert (now.renamed, now.shadows, now.successors) == ({7: 90}, set(), [])
    both = [stored(1, "FR1"), stored(2, "FR1")]
    now = found(both, [listed(7, "FR1"), listed(9, "FR1")], {7: 90})
    assert (now.renamed, now.successors) == ({7: 90, 9: 190}, [])
