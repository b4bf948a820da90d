"""The project as text and syntax trees, read once for all rules."""

from __future__ import annotations

import ast
import subprocess
import tomllib
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]

# Revisions are generated once and then frozen: they follow Alembic's shape, not ours.
_NOT_OURS = "obdesk/storage/migrations/versions/"


@dataclass(frozen=True)
class Module:
    """One Python file, by its path from the root of the project."""

    path: str
    source: str

    @cached_property
    def tree(self) -> ast.Module:
        """The syntax tree."""
        return ast.parse(self.source, self.path)

    @property
    def name(self) -> str:
        """The dotted name."""
        return self.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    @property
    def is_package(self) -> bool:
        """Whether this is the file of a package."""
        return self.path.endswith("/__init__.py")

    def within(self, *places: str) -> bool:
        """Tell whether the module is one of the files or lies in one of the folders (ending in /)."""
        return any(
            self.path == place or (place.endswith("/") and self.path.startswith(place)) for place in places
        )

    def imports(self) -> list[tuple[int, str]]:
        """List the line and full name of everything imported, relative imports resolved."""
        found: list[tuple[int, str]] = []
        for node in ast.walk(self.tree):
            if isinstance(node, ast.Import):
                found += [(node.lineno, alias.name) for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                base = self._absolute(node)
                found += [(node.lineno, f"{base}.{alias.name}") for alias in node.names]
        return found

    def _absolute(self, node: ast.ImportFrom) -> str:
        if not node.level:
            return node.module or ""
        parts = self.name.split(".")
        up = node.level - 1 if self.is_package else node.level
        return ".".join([*parts[: len(parts) - up], *([node.module] if node.module else [])])


@cache
def files() -> tuple[str, ...]:
    """List all files that are, or are about to be, part of the project."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    return tuple(sorted(path for path in listed.split("\0") if path and (ROOT / path).is_file()))


@cache
def modules(*places: str) -> tuple[Module, ...]:
    """Read the Python files in the given folders (ending in /)."""
    return tuple(
        Module(path, (ROOT / path).read_text("utf-8"))
        for path in files()
        if path.endswith(".py") and path.startswith(places) and not path.startswith(_NOT_OURS)
    )


@cache
def pyproject() -> dict[str, Any]:
    """Read the project's configuration."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))


def contract(contract_id: str) -> dict[str, Any]:
    """Give one import contract."""
    contracts: list[dict[str, Any]] = pyproject()["tool"]["importlinter"]["contracts"]
    return next(each for each in contracts if each["id"] == contract_id)
