"""A token that is gone from the keyring takes no bank with it."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from obdesk.domain.conditions import Condition
from obdesk.domain.entities import RunResult, Trigger
from obdesk.providers.powens.provider import PowensProvider
from obdesk.providers.powens.tokens import user_token_name
from tests.providers.conftest import Naps

if TYPE_CHECKING:
    from tests.flows.town import Town

pytestmark = pytest.mark.anyio


async def start_anew(town: Town) -> None:
    """Start the program again: what it had read of the keyring is forgotten."""
    await town.provider.aclose()
    chance = random.Random(7)  # noqa: S311 - chance, not secrets
    town.provider = PowensProvider(town.settings, town.tokens, town.clock, rng=chance, sleep=Naps(town.clock))


async def test_who_lost_the_token_keeps_the_banks_and_is_told_what_to_do(town: Town) -> None:
    connection = await town.linked()
    name = user_token_name(town.settings)
    token = town.tokens.kept.pop(name)
    await start_anew(town)

    assert not isinstance(await town.engine.discover(), tuple)
    outcome = await town.sync(connection, trigger=Trigger.PERSON)

    assert (outcome.result, outcome.condition) == (RunResult.ACTION_NEEDED, Condition.PROVIDER_REFUSES)
    assert town.link_shown(connection).condition is Condition.PROVIDER_REFUSES
    town.tokens.put(name, token)
    await start_anew(town)
    assert (await town.sync(connection, trigger=Trigger.PERSON)).condition is Condition.OK
    town.tells_the_truth(connection)


async def test_without_a_token_nobody_has_linked_anything_yet(town: Town) -> None:
    links, changes = await town.discover()
    assert links == {}
    assert not changes
