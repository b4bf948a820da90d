from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.relay.places import SqlitePlace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.relay.places import Place


@pytest.fixture
def sqlite_place(tmp_path: Path) -> Place:
    """Give a place for a store where it matters not of which kind it is."""
    return SqlitePlace(tmp_path / "relay.db")
