"""Looking at a link's ledger once its rows are kept: the balance proofs, and what looks wrong in the data.

Nothing here changes a row. It reads beside the writer and writes only what it found anew, so neither a
sync nor a person waits for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.domain.changes import ChangeSet, Kind
from obdesk.domain.ids import AccountId
from obdesk.storage.queries import findings as finding_reads
from obdesk.storage.queries import proofs as proof_reads
from obdesk.storage.writes import connections, findings, holes, proofs

if TYPE_CHECKING:
    from datetime import date, datetime

    from obdesk.domain.ids import ConnectionId
    from obdesk.domain.proofs import Verdict
    from obdesk.storage.store import Store
    from obdesk.storage.tx import Tx


async def examine(store: Store, connection_id: ConnectionId, now: datetime) -> ChangeSet:
    """Prove and inspect the accounts of one link; return what is new about them."""
    proved = await store.read_slowly(None, proof_reads.prove, connection_id)
    sound = {each for each, (found, _) in proved.items() if found.days_proved and not found.first_bad_day}
    suspects = await store.read_slowly(None, finding_reads.suspects, connection_id, sound, now)

    def keep(tx: Tx) -> ChangeSet:
        if not connections.is_live(tx, connection_id):
            return ChangeSet()
        change = proofs.keep(tx, connection_id, proved, now)
        news = findings.keep_suspects(tx, connection_id, suspects, now)
        change = change.merge(ChangeSet.of(Kind.PROBLEMS, news))
        for hole_id, account_id, _, last in holes.open_holes(tx, connection_id):
            found = proved.get(AccountId(account_id))
            if found is not None and _spans(tx, account_id, found[0], last):
                holes.close_hole(tx, hole_id, "proved", now)
                change = change.merge(ChangeSet.of(Kind.BALANCES, [account_id]))
        return change

    return await store.write(keep)


def _spans(tx: Tx, account_id: int, verdict: Verdict, last: date) -> bool:
    """Tell whether balances before and after some days agree with the rows: then none is missing there."""
    observed_to = tx.value(
        "SELECT max(b.day) FROM accounts a JOIN balances b ON b.account_id = a.id "
        "AND b.currency = a.currency WHERE a.id = ?",
        (account_id,),
    )
    proved_to = observed_to if verdict.first_bad_day is None else verdict.since_day
    return bool(verdict.days_proved and proved_to and proved_to > last.isoformat())
