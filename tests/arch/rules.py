"""The rules as functions: a module goes in, sentences about its breaches come out.

Each is tried on a bad sample in test_rules.py before it judges the tree. Exceptions are listed here
by file, with their reason; there is no other way to make one.
"""

from __future__ import annotations

import ast
import io
import re
import sys
import tokenize
from collections.abc import Callable, Iterator
from typing import TypeAlias

from tests.arch.tree import Module

Rule: TypeAlias = Callable[[Module], Iterator[str]]

LINES_MAX = 400
FUNCTION_LINES_MAX = 70

LONGER_MODULES: dict[str, str] = {}
"""File: why it may be longer."""

SWALLOWS_EVERYTHING: dict[str, str] = {
    "obdesk/app/scopes.py": "reports what a task raised, so that one bank's error never ends another's task",
    "obdesk/relay/server/redis_link.py": "hands what went wrong between it and Redis to whoever asked",
    "obdesk/relay/server/middleware.py": "answers a request that failed, and logs where, never with what",
    "obdesk/relay/server/sqlite_writer.py": "hands what an operation raised to whoever asked for it",
    "obdesk/secrets/keyrings.py": "the bindings to the systems' keyrings share no base class of errors",
    "obdesk/app/mailbox.py": "a mistake of ours must not keep what comes later from being heard",
}
"""File: why it may catch Exception."""

_TASK_HOMES = ("obdesk/app/scopes.py", "obdesk/gui/run.py", "obdesk/relay/server/tasks.py")
_TASK_CALLS = frozenset({"create_task", "ensure_future", "asyncSlot", "asyncClose", "exec", "exec_"})

SCREEN_FILES = frozenset({"__init__", "present", "model", "delegate", "view"})
SCREEN_EXTRAS: dict[str, dict[str, str]] = {
    "activity": {
        "cards": "what the activity is made of",
        "changes": "what one run changed, as values",
        "findings": "what looks wrong in the banks' data, one by one, as values",
        "matter": "one thing that is open, and where its button leads",
        "matters": "what waits for the person or for its time, as values",
    },
    "connections": {
        "cards": "a bank as a card",
        "dialogs": "ending a link with care",
    },
    "firstrun": {
        "setup": "setting up the person's own application at the aggregator",
    },
    "settings": {
        "cards": "the relay with its form, and when banks are checked",
    },
    "linking": {
        "banks": "the list of banks and its search",
        "conduct": "runs the flow",
        "demo_driver": "plays the person in front of the embedded page for the demo",
        "engine": "whether the embedded browser may be used",
        "flow": "linking as a pure state machine",
        "guard": "the page that can show a bank's login and nothing else",
        "pages": "a calm page for each stage of the flow",
        "policy": "where the page may go, and which address ends the attempt",
        "stages": "the states, events and effects of the flow",
        "webview": "the embedded browser",
    },
    "overview": {
        "cards": "what the overview is made of",
    },
    "transactions": {
        "anchor": "keeps what is seen and selected while the list changes",
        "aside": "another transaction beside the one shown, and what can be done about both",
        "chosen": "what the selection adds up to",
        "diff": "from one list of ids to another in few steps",
        "doing": "what a person may do to transactions",
        "edits": "notes and categories on their way to the database",
        "facts": "the bank's raw data in the inspector",
        "feed": "reads windows of rows off the interface thread",
        "filterbar": "the search and its buttons",
        "filterpanel": "the filters in full",
        "filters": "from what is typed to a filter",
        "header": "the column titles",
        "inspector": "one transaction in full",
        "twins": "what may be the same as the transaction shown, and what it was made of",
        "layout": "where rows and day bands stand",
        "screen": "all of it together",
        "table": "the list that paints only what is seen",
    },
}
"""Screen: the further modules it is known for, and what each does."""

_ENTITIES_IN_EVENTS = frozenset({"RunCounts", "RunResult", "Trigger"})
_DOMAIN_OF_ROWS = frozenset({"obdesk.domain.entities", "obdesk.domain.remote"})
_PLAIN = frozenset({"int", "float", "str", "bool", "datetime", "None"})

_UNCODED_IGNORE = re.compile(r"#\s*type:\s*ignore(?!\[)")
_BARE_NOQA = re.compile(r"#\s*(ruff:\s*)?noqa(?!: [A-Z]+\d+(, ?[A-Z]+\d+)* - \w)", re.IGNORECASE)


def stays_short(module: Module) -> Iterator[str]:
    """Hold a module to 400 lines."""
    lines = module.source.count("\n")
    if lines > LINES_MAX and module.path not in LONGER_MODULES:
        yield f"{module.path} has {lines} lines; {LINES_MAX} at most"


def has_short_functions(module: Module) -> Iterator[str]:
    """Hold a function to 70 lines."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            lines = (node.end_lineno or node.lineno) - node.lineno + 1
            if lines > FUNCTION_LINES_MAX:
                yield f"{module.path}:{node.lineno} {node.name} has {lines} lines"


def _called(node: ast.Call) -> str:
    match node.func:
        case ast.Name(id=name) | ast.Attribute(attr=name):
            return name
        case _:
            return ""


def lets_no_float_meet_money(module: Module) -> Iterator[str]:
    """Turn nothing into a float where money passes."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "float":
            yield f"{module.path}:{node.lineno} calls float(); money is integers of minor units or Decimal"


def _decorators(node: ast.AST) -> set[str]:
    if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
        return set()
    return {part.id for each in node.decorator_list for part in ast.walk(each) if isinstance(part, ast.Name)}


def starts_no_stray_task(module: Module) -> Iterator[str]:
    """Bear tasks in a scope, and let no dialog run a loop of its own."""
    if module.within(*_TASK_HOMES):
        return
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Call) and (name := _called(node)) in _TASK_CALLS:
            yield f"{module.path}:{node.lineno} calls {name}; use a scope of obdesk.app.scopes, or open()"
        elif bare := _decorators(node) & _TASK_CALLS:
            yield f"{module.path} decorates with {', '.join(bare)}, whose task belongs to nobody"


def _caught(handler: ast.ExceptHandler) -> set[str]:
    if handler.type is None:
        return {"BaseException"}
    return {part.id for part in ast.walk(handler.type) if isinstance(part, ast.Name)}


def swallows_nothing(module: Module) -> Iterator[str]:
    """Catch everything at named edges only; to clean up and raise again is no swallowing."""
    if module.path in SWALLOWS_EVERYTHING:
        return
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.ExceptHandler) or not _caught(node) & {"Exception", "BaseException"}:
            continue
        last = node.body[-1]
        if not (isinstance(last, ast.Raise) and last.exc is None):
            yield f"{module.path}:{node.lineno} catches everything; name errors, or the edge in {__name__}"


def draws_nothing_in_models(module: Module) -> Iterator[str]:
    """Keep widgets out of models and presenters."""
    if module.path.endswith(("/model.py", "/present.py")):
        for line, name in module.imports():
            if name.startswith("PySide6.QtWidgets"):
                yield f"{module.path}:{line} imports {name}; widgets belong to view.py and delegate.py"


def needs_no_library(module: Module) -> Iterator[str]:
    """Import only the standard library and our own code."""
    for line, name in module.imports():
        top = name.partition(".")[0]
        if top != "obdesk" and top not in sys.stdlib_module_names:
            yield f"{module.path}:{line} imports {name}; here the standard library must do"


def is_a_known_part_of_its_screen(module: Module) -> Iterator[str]:
    """Keep a screen's folder to the files a reader expects."""
    _, _, screen, file = module.path.split("/", 3)
    allowed = SCREEN_FILES | SCREEN_EXTRAS.get(screen, {}).keys()
    if file.removesuffix(".py") not in allowed:
        yield f"{module.path} is not one of {', '.join(sorted(allowed))}; list it in {__name__} or rename it"


def has_frozen_values(module: Module) -> Iterator[str]:
    """Freeze and slot every dataclass."""
    for node in ast.walk(module.tree):
        if not isinstance(node, ast.ClassDef):
            continue
        for decorator in node.decorator_list:
            call = decorator if isinstance(decorator, ast.Call) else None
            named = call.func if call else decorator
            if not (isinstance(named, ast.Name) and named.id == "dataclass"):
                continue
            on = {
                keyword.arg
                for keyword in (call.keywords if call else ())
                if isinstance(keyword.value, ast.Constant) and keyword.value.value is True
            }
            if not {"frozen", "slots"} <= on:
                yield f"{module.path}:{node.lineno} {node.name} is a dataclass, not frozen and slotted"


def _names_fit_for_events(module: Module) -> set[str]:
    fit = set(_PLAIN)
    for node in ast.walk(module.tree):
        if isinstance(node, ast.ClassDef):
            fit.add(node.name)
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("obdesk.domain"):
            names = {alias.asname or alias.name for alias in node.names}
            fit |= names & _ENTITIES_IN_EVENTS if node.module in _DOMAIN_OF_ROWS else names
    return fit


def carries_no_rows(module: Module) -> Iterator[str]:
    """Let an event carry ids, enums and small values, never rows or collections."""
    fit = _names_fit_for_events(module)
    for node in (each for each in ast.walk(module.tree) if isinstance(each, ast.ClassDef)):
        for field in (each for each in node.body if isinstance(each, ast.AnnAssign)):
            names = {part.id for part in ast.walk(field.annotation) if isinstance(part, ast.Name)}
            if unfit := ", ".join(sorted(names - fit)):
                yield f"{module.path}:{field.lineno} {node.name} carries {unfit}; send an id"


def names_what_it_ignores(module: Module) -> Iterator[str]:
    """Name the code of each silenced type error."""
    for number, line in enumerate(module.source.splitlines(), 1):
        if _UNCODED_IGNORE.search(line):
            yield f"{module.path}:{number} silences every type error; name the code in brackets"


def says_why_it_is_silent(module: Module) -> Iterator[str]:
    """Give each silenced finding of the linter its codes, and its reason in words."""
    for token in tokenize.generate_tokens(io.StringIO(module.source).readline):
        if token.type == tokenize.COMMENT and _BARE_NOQA.search(token.string):
            yield f"{module.path}:{token.start[0]} silences the linter without a code and a reason in words"


def mocks_nothing(module: Module) -> Iterator[str]:
    """Fake nothing but time and the presenter."""
    if module.path == "tests/fakes.py":
        return
    for line, name in module.imports():
        if name.startswith(("unittest.mock", "mock.", "pytest_mock")):
            yield f"{module.path}:{line} imports {name}; build the real thing, or a fake in tests/fakes.py"
    for node in ast.walk(module.tree):
        if isinstance(node, ast.arg) and node.arg == "mocker":
            yield f"{module.path}:{node.lineno} asks for mocker"


def waits_for_nothing_by_sleeping(module: Module) -> Iterator[str]:
    """Let tests move a clock or wait for an event, not hope that a pause is long enough."""
    for node in ast.walk(module.tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="time"), attr="sleep")):
                yield f"{module.path}:{node.lineno} sleeps; advance a clock, or wait for what should happen"


def backs_up_whole_databases(module: Module) -> Iterator[str]:
    """Let SQLite itself copy a database: its file alone lacks what is still in the WAL."""
    for line, name in module.imports():
        if name.startswith("shutil"):
            yield f"{module.path}:{line} imports {name}; copy a database with VACUUM INTO"
