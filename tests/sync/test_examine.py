"""What a sync looks at once its rows are kept: the balance proof of each account."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from obdesk.domain.changes import Kind
from obdesk.domain.proofs import Cause, ProofState
from obdesk.storage.queries import proofs

if TYPE_CHECKING:
    from obdesk.domain.proofs import AccountProof
    from tests.flows.town import Town

pytestmark = pytest.mark.anyio


def proof_of(town: Town, account: int) -> AccountProof:
    """Return the proof of an account by the bank's number."""
    ours = town.store.read_now(
        lambda opened: opened.execute("SELECT id FROM accounts WHERE provider_id = ?", (account,)).fetchone()
    )[0]
    (found,) = town.store.read_now(proofs.proofs, ours)
    return found


def events(town: Town) -> list[str]:
    found = town.store.read_now(
        lambda opened: opened.execute(
            "SELECT kind FROM events WHERE kind LIKE 'proof%' ORDER BY id"
        ).fetchall()
    )
    return [each[0] for each in found]


async def days_pass(town: Town, connection: str, days: int) -> None:
    for _ in range(days):
        town.pass_time(86_400)
        await town.sync(connection, refresh=True)


async def test_a_bank_that_tells_the_truth_is_proved_day_by_day(town: Town) -> None:
    connection = await town.linked()
    account = town.checking(connection)
    assert proof_of(town, account).state is ProofState.TOO_FEW
    await days_pass(town, connection, 5)
    found = proof_of(town, account)
    assert found.state is ProofState.PROVED, found
    assert found.days_proved >= 3
    assert events(town) == []
    states = {each.state for each in town.store.read_now(proofs.proofs)}
    assert states <= {ProofState.PROVED, ProofState.NOT_APPLICABLE, ProofState.TOO_FEW}


async def test_F21_a_row_the_bank_counts_and_does_not_list_breaks_the_proof_and_adds_nothing(
    town: Town,
) -> None:
    connection = await town.linked()
    account = town.checking(connection)
    await days_pass(town, connection, 2)
    town.pass_time(86_400)
    town.bank.tell(f"/accounts/{account}/facts", off="-5.00")
    _, changes = await town.sync_telling(connection)
    found = proof_of(town, account)
    assert found.state is ProofState.BROKEN
    assert found.gap is not None
    assert found.gap.amount_minor == -500
    assert found.candidates[-1].cause in set(Cause)
    assert changes.touches(Kind.BALANCES)
    assert events(town) == ["proof_broken"]
    assert town.rows(connection) == town.bank.live_rows(connection), "no phantom row makes the sum fit"
    town.bank.tell(f"/accounts/{account}/facts", off="5.00")
    town.pass_time(86_400)
    await town.sync(connection)
    assert proof_of(town, account).state is ProofState.PROVED
    assert events(town) == ["proof_broken", "proof_mended"]
