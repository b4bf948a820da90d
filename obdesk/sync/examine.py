"""Looking at a link's ledger once its rows are kept: the balance proofs, and what looks wrong in the data.

Nothing here changes a row. It reads beside the writer and writes only what it found anew, so neither a
sync nor a person waits for it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.storage.queries import proofs as proof_reads
from obdesk.storage.writes import proofs

if TYPE_CHECKING:
    from datetime import datetime

    from obdesk.domain.changes import ChangeSet
    from obdesk.domain.ids import ConnectionId
    from obdesk.storage.store import Store


async def examine(store: Store, connection_id: ConnectionId, now: datetime) -> ChangeSet:
    """Prove and inspect the accounts of one link; return what is new about them."""
    proved = await store.read_slowly(None, proof_reads.prove, connection_id)
    return await store.write(lambda tx: proofs.keep(tx, connection_id, proved, now))
