"""The import linter in a process of its own, asked many times: `python linter.py PYPROJECT`.

In a folder that holds an obdesk package it reads requests, one JSON document a line: the contracts to
check (all when empty) and files to add for the while. Each is answered by the exit code and the text.
"""

from __future__ import annotations

import contextlib
import io
import json
import sys
from pathlib import Path

from importlinter.cli import lint_imports


def answer(configuration: str, contracts: list[str], added: dict[str, str]) -> tuple[int, str]:
    """Check contracts on the tree in the current folder with some files added to it."""
    new = [Path(path) for path in added if not Path(path).exists()]
    for path in new:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(added[str(path)], "utf-8")
    text = io.StringIO()
    try:
        with contextlib.redirect_stdout(text):
            code = lint_imports(configuration, tuple(contracts), no_cache=True, no_logo=True)
    finally:
        for path in new:
            path.unlink()
    return code, text.getvalue()


if __name__ == "__main__":
    for line in sys.stdin:
        request = json.loads(line)
        sys.stdout.write(json.dumps(answer(sys.argv[1], request["contracts"], request["added"])) + "\n")
        sys.stdout.flush()
