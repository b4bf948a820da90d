"""Identity is our own number; what a bank or an aggregator calls a thing is evidence, not identity."""

from __future__ import annotations

from typing import NewType

ConnectionId = NewType("ConnectionId", int)
AccountId = NewType("AccountId", int)
TransactionId = NewType("TransactionId", int)
RunId = NewType("RunId", int)
