"""Every rule first shows that it bites, then judges the tree."""

from __future__ import annotations

import re
from itertools import chain
from typing import TYPE_CHECKING

import pytest

from tests.arch import rules
from tests.arch.tree import Module, contract, modules

if TYPE_CHECKING:
    from collections.abc import Iterable

OWN_CODE = ("obdesk/", "packaging/", "tests/")
PURE_FILES = ("obdesk/sync/reconcile/", "obdesk/sync/policy.py")


def _breaches(rule: rules.Rule, judged: Iterable[Module]) -> list[str]:
    return list(chain.from_iterable(rule(module) for module in judged))


def _screens() -> list[Module]:
    """List the modules of the folders that the contract names as screens."""
    (siblings,) = contract("screens")["layers"]
    folders = tuple(f"obdesk/gui/{name}/" for name in re.findall(r"\w+", siblings))
    return [module for module in modules("obdesk/gui/") if module.within(*folders)]


def test_modules_are_at_most_400_lines_long() -> None:
    assert _breaches(rules.stays_short, modules(*OWN_CODE)) == []


def test_functions_are_at_most_70_lines_long() -> None:
    assert _breaches(rules.has_short_functions, modules(*OWN_CODE)) == []


def test_no_float_meets_money() -> None:
    money = modules("obdesk/domain/", "obdesk/providers/", "obdesk/storage/")

    assert _breaches(rules.lets_no_float_meet_money, money) == []


def test_tasks_are_born_in_scopes_and_dialogs_are_opened_not_executed() -> None:
    assert _breaches(rules.starts_no_stray_task, modules("obdesk/")) == []


def test_only_named_edges_catch_everything() -> None:
    assert _breaches(rules.swallows_nothing, modules("obdesk/")) == []


def test_models_and_presenters_import_no_widgets() -> None:
    assert _breaches(rules.draws_nothing_in_models, modules("obdesk/gui/")) == []


def test_the_domain_matching_policy_and_presentation_need_no_library() -> None:
    pure = [
        module
        for module in modules("obdesk/")
        if module.within("obdesk/domain/", *PURE_FILES)
        or (module.within("obdesk/gui/") and module.path.endswith("/present.py"))
    ]

    assert pure
    assert _breaches(rules.needs_no_library, pure) == []


def test_a_screen_is_made_of_the_files_a_reader_expects() -> None:
    screens = _screens()

    assert screens
    assert _breaches(rules.is_a_known_part_of_its_screen, screens) == []


def test_domain_values_are_frozen_and_slotted() -> None:
    assert _breaches(rules.has_frozen_values, modules("obdesk/domain/")) == []


def test_events_carry_ids_and_kinds_never_rows() -> None:
    events = modules("obdesk/app/events.py")

    assert events
    assert _breaches(rules.carries_no_rows, events) == []
    assert _breaches(rules.has_frozen_values, events) == []


def test_each_silenced_type_error_names_its_code() -> None:
    assert _breaches(rules.names_what_it_ignores, modules(*OWN_CODE)) == []


def test_each_silenced_finding_of_the_linter_says_why() -> None:
    assert _breaches(rules.says_why_it_is_silent, modules(*OWN_CODE)) == []


def test_nothing_is_mocked_outside_the_fakes() -> None:
    assert _breaches(rules.mocks_nothing, modules(*OWN_CODE)) == []


def test_tests_do_not_sleep() -> None:
    assert _breaches(rules.waits_for_nothing_by_sleeping, modules("tests/")) == []


def test_databases_are_never_copied_as_files() -> None:
    assert _breaches(rules.backs_up_whole_databases, modules("obdesk/storage/")) == []


_BAD: dict[rules.Rule, tuple[str, str]] = {
    rules.stays_short: ("obdesk/a.py", "x = 1\n" * 401),
    rules.has_short_functions: ("obdesk/a.py", "def f():\n" + "    x = 1\n" * 70),
    rules.lets_no_float_meet_money: ("obdesk/domain/a.py", "amount = float('0.1')"),
    rules.starts_no_stray_task: ("obdesk/gui/tray.py", "menu.exec()"),
    rules.swallows_nothing: ("obdesk/sync/a.py", "try:\n    pass\nexcept (ValueError, Exception):\n    pass"),
    rules.draws_nothing_in_models: ("obdesk/gui/overview/model.py", "from PySide6.QtWidgets import QLabel"),
    rules.needs_no_library: ("obdesk/domain/a.py", "def f():\n    from sqlalchemy.orm import Session"),
    rules.is_a_known_part_of_its_screen: ("obdesk/gui/overview/utils.py", ""),
    rules.has_frozen_values: ("obdesk/domain/a.py", "@dataclass(frozen=True)\nclass A:\n    x: int"),
    rules.carries_no_rows: (
        "obdesk/app/events.py",
        "from obdesk.domain.entities import TransactionRow\nclass A:\n    rows: tuple[TransactionRow, ...]",
    ),
    rules.names_what_it_ignores: ("obdesk/a.py", "x = 1  # type: " + "ignore"),
    rules.says_why_it_is_silent: ("obdesk/a.py", "x = 1  # noqa" + ": S311"),
    rules.mocks_nothing: ("tests/unit/a.py", "from unittest" + ".mock import Mock"),
    rules.waits_for_nothing_by_sleeping: ("tests/unit/a.py", "import time\ntime.sleep(1)"),
    rules.backs_up_whole_databases: ("obdesk/storage/a.py", "import shutil"),
}


@pytest.mark.parametrize("rule", _BAD, ids=lambda rule: rule.__name__)
def test_the_rule_notices_a_breach(rule: rules.Rule) -> None:
    path, source = _BAD[rule]

    assert len(list(rule(Module(path, source)))) == 1


@pytest.mark.parametrize(
    "source",
    [
        "asyncio.create_task(f())",
        "asyncio.ensure_future(f())",
        "group.create_task(f())",
        "dialog.exec_()",
        "@asyncSlot()\ndef f(): ...",
        "@qasync_module\n@asyncClose\nasync def f(): ...",
    ],
)
def test_every_way_to_start_a_stray_task_is_noticed(source: str) -> None:
    assert list(rules.starts_no_stray_task(Module("obdesk/gui/run_away.py", source)))
    assert not list(rules.starts_no_stray_task(Module("obdesk/app/scopes.py", source)))


@pytest.mark.parametrize(
    "source", ["@dataclass\nclass A: ...", "@dataclass(frozen=True, slots=False)\nclass A: ..."]
)
def test_half_frozen_values_are_noticed(source: str) -> None:
    assert list(rules.has_frozen_values(Module("obdesk/domain/a.py", source)))


@pytest.mark.parametrize(
    "silence", ["noqa", "NOQA: S311", "noqa: S311 because", "ruff: noqa", "noqa: S311 -"]
)
def test_every_unexplained_silence_is_noticed(silence: str) -> None:
    assert list(rules.says_why_it_is_silent(Module("obdesk/a.py", f"x = 1  # {silence}")))
    assert not list(rules.says_why_it_is_silent(Module("obdesk/a.py", f"x = '# {silence}'")))


def test_a_relative_import_is_seen_for_what_it_is() -> None:
    module = Module("obdesk/gui/overview/model.py", "from ..widgets import chart\nfrom . import view")

    assert [name for _, name in module.imports()] == ["obdesk.gui.widgets.chart", "obdesk.gui.overview.view"]
