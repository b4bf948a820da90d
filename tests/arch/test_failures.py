"""Every failure the program has an answer to has a number, a test named after it and a line in the docs."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from pathlib import PurePosixPath

from tests.arch.tree import ROOT, Module, modules

FAILURES = (
    "F01",
    "F02",
    "F03",
    "F04",
    "F05",
    "F06",
    "F07",
    "F08",
    "F09",
    "F10",
    "F11",
    "F12",
    "F13",
    "F14",
    "F15",
    "F16",
    "F17",
    "F18",
    "F19",
    "F20",
    "F21",
    "F22",
    "F23",
    "F24",
    "F25",
    "F26",
    "F27",
    "F28",
    "F29",
    "F30",
    "F31",
    "F32",
    "F33",
    "F34",
    "F35",
    "F36",
    "F37",
    "F38",
    "F39",
    "F40",
    "F41",
    "F42",
    "F43",
    "F44",
    "F51",
    "F52",
    "F53",
    "F54",
    "F55",
    "F56",
    "F57",
    "F58",
    "F59",
    "F60",
    "F61",
    "F62",
    "F63",
    "F64",
    "F65",
    "F66",
    "F67",
    "F68",
)
_NAME = re.compile(r"test_(F\d\d)_\w{8,}")
_LINE = re.compile(r"\| (F\d\d) \| ([^|]+) \| ([^|]+) \| ([^|]+) \|")
_TABLE = "docs/failures.md"


def _tests(module: Module) -> list[str]:
    """List the functions pytest collects from a file: at its top, and in classes named as it wants."""
    found: list[str] = []
    for node in module.tree.body:
        inside = node.body if isinstance(node, ast.ClassDef) and node.name.startswith("Test") else [node]
        found += [
            each.name
            for each in inside
            if isinstance(each, ast.FunctionDef | ast.AsyncFunctionDef) and each.name.startswith("test_")
        ]
    return found


def shown_in(found: tuple[Module, ...]) -> dict[str, set[str]]:
    """Return for each number the test files with a test named after it."""
    shown: defaultdict[str, set[str]] = defaultdict(set)
    for module in found:
        if not PurePosixPath(module.path).name.startswith("test_"):
            continue
        for name in _tests(module):
            if number := _NAME.match(name):
                shown[number[1]].add(module.path)
    return dict(shown)


def test_each_failure_has_a_test_named_after_it() -> None:
    shown = shown_in(modules("tests/"))

    assert [number for number in FAILURES if number not in shown] == []


def test_no_test_is_named_after_a_failure_that_does_not_exist() -> None:
    assert sorted(set(shown_in(modules("tests/"))) - set(FAILURES)) == []


def test_the_table_names_each_failure_once_and_where_it_is_tested() -> None:
    lines = _LINE.findall((ROOT / _TABLE).read_text("utf-8"))
    shown = shown_in(modules("tests/"))

    assert [number for number, *_ in lines] == list(FAILURES)
    for number, failure, behaviour, places in lines:
        assert failure.strip()
        assert behaviour.strip()
        named = set(re.findall(r"`([^`]+)`", places))
        assert named, f"{number} names no test file"
        assert named <= shown[number], f"{number} is not tested in {sorted(named - shown[number])}"


def test_a_failure_without_a_test_is_noticed() -> None:
    case = "class Case:\n    def test_F98_a_name_nobody_collects(self): ...\n"
    nested = "def helper():\n    def test_F98_in_a_function(): ...\n"
    loose = Module("tests/x/test_x.py", case + nested)
    other = Module("tests/x/helper.py", "def test_F98_in_a_file_that_is_not_collected(): ...\n")
    good = Module("tests/x/test_y.py", "class TestY:\n    async def test_F98_is_collected(self): ...\n")

    assert shown_in((loose, other)) == {}
    assert shown_in((loose, other, good)) == {"F98": {"tests/x/test_y.py"}}
