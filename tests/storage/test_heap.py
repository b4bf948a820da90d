"""Letting go of much memory: a list is emptied whole, and the system may be asked to take what is free."""

from __future__ import annotations

import pytest

from obdesk.storage.heap import AT_ONCE, give_back, let_go


@pytest.mark.parametrize("many", [0, 1, AT_ONCE, 3 * AT_ONCE + 7])
def test_a_list_is_empty_afterwards_and_no_row_of_others_is_touched(many: int) -> None:
    rows = [(n,) for n in range(many)]
    others = list(rows)

    let_go(rows)

    assert rows == []
    assert len(others) == many


def test_giving_back_is_safe_at_any_time() -> None:
    give_back()
    give_back()
