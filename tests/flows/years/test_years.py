"""Some simulated weeks in every run of the tests; whole years are `bootstrap.py simulate-years`."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.flows.years.faults import Profile
from tests.flows.years.runs import live
from tests.storage.files import made

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture(scope="module")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Give an empty file of the present schema."""
    return made(tmp_path_factory.mktemp("years") / "template.db")


@pytest.mark.parametrize("profile", list(Profile))
def test_whatever_happens_the_ledger_ends_in_step_with_the_banks(template: Path, profile: Profile) -> None:
    ended = live(11, profile, 70, template)

    assert ended.violations == []
    assert ended.syncs > 10


@pytest.mark.parametrize(
    ("seed", "profile", "days"),
    [
        pytest.param(78, Profile.STORM, 76, id="an amount was corrected as its account was numbered anew"),
        pytest.param(106, Profile.STORM, 246, id="likewise, with other accounts beside it"),
        pytest.param(112, Profile.NORMAL, 359, id="likewise, by a few cents"),
        pytest.param(134, Profile.STORM, 297, id="an account came under a new id and in another currency"),
        pytest.param(2038, Profile.STORM, 228, id="a row came under a new id and with another amount"),
        pytest.param(316, Profile.STORM, 251, id="a withdrawn row came back in another currency"),
        pytest.param(31, Profile.LIAR, 365, id="a hint passed for the cause of a retry"),
        pytest.param(78, Profile.STORM, 365, id="a row slipped past between two pages of one length"),
    ],
)
def test_lives_that_once_went_wrong(template: Path, seed: int, profile: Profile, days: int) -> None:
    ended = live(seed, profile, days, template, relayed=False)

    assert ended.violations == []
    assert ended.syncs > 20


@pytest.mark.parametrize(
    ("seed", "days"),
    [
        pytest.param(345, 275, id="date and amount were corrected as an account was numbered anew"),
        pytest.param(497, 285, id="an account was numbered anew in a currency that was taken back later"),
    ],
)
def test_lives_with_a_relay_that_once_went_wrong(template: Path, seed: int, days: int) -> None:
    ended = live(seed, Profile.STORM, days, template)

    assert ended.violations == []
    assert ended.syncs > 20


def test_a_seed_replays_a_life_exactly(template: Path) -> None:
    first, second = (live(5, Profile.STORM, 25, template) for _ in range(2))

    assert first == second
    assert first.fired.total() > 20
