"""`python -m tests.benchmarks [NAME] [--rows N] [--json]`: every figure beside its target."""

from __future__ import annotations

import importlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from tests.benchmarks.figures import asked, say, verdict

if TYPE_CHECKING:
    from tests.benchmarks.figures import Figure

ROWS = 1_000_000


def names() -> list[str]:
    """Return the benchmarks there are."""
    return sorted(file.stem.removeprefix("bench_") for file in Path(__file__).parent.glob("bench_*.py"))


def main(arguments: list[str] | None = None) -> int:
    """Run one benchmark or all; exit 1 when a target is missed."""
    parser = asked("bench", __doc__, names())
    parser.add_argument("--rows", type=int, default=ROWS, help="transactions in the ledger")
    chosen = parser.parse_args(arguments)
    figures: list[Figure] = []
    for name in [chosen.name] if chosen.name else names():
        module = importlib.import_module(f"tests.benchmarks.bench_{name}")
        found: list[Figure] = module.run(chosen.rows)
        figures += found
        if not chosen.json:
            say(f"[{name}, {chosen.rows:,} rows]", *(figure.line() for figure in found))
    line, holds = verdict(figures, chosen.slack)
    if chosen.json:
        told = [figure.as_json() for figure in figures]
        say(json.dumps({"rows": chosen.rows, "figures": told}, indent=1))
    else:
        say(line)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
