"""A ledger for each test."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.export.ledger import Ledger

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture
def ledger(tmp_path: Path) -> Iterator[Ledger]:
    """Give an encrypted file with three empty accounts."""
    made = Ledger(tmp_path)
    yield made
    made.connection.close()
