"""`python -m tests.benchmarks [NAME] [--rows N] [--json]`: every figure beside its target."""

from __future__ import annotations

import argparse
import importlib
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.benchmarks.figures import Figure

ROWS = 1_000_000


def names() -> list[str]:
    """Return the benchmarks there are."""
    return sorted(file.stem.removeprefix("bench_") for file in Path(__file__).parent.glob("bench_*.py"))


def main(arguments: list[str] | None = None) -> int:
    """Run one benchmark or all; exit 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="bench", description=__doc__)
    parser.add_argument("name", nargs="?", choices=names(), help="one benchmark; all when left out")
    parser.add_argument("--rows", type=int, default=ROWS, help="transactions in the ledger")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of lines")
    parser.add_argument(
        "--slack", type=float, default=1.0, help="fail only what is this many times worse than its target"
    )
    chosen = parser.parse_args(arguments)
    figures: list[Figure] = []
    for name in [chosen.name] if chosen.name else names():
        module = importlib.import_module(f"tests.benchmarks.bench_{name}")
        found: list[Figure] = module.run(chosen.rows)
        figures += found
        if not chosen.json:
            _say(f"[{name}, {chosen.rows:,} rows]", *(figure.line() for figure in found))
    missed = [figure.name for figure in figures if not figure.within(chosen.slack)]
    if chosen.json:
        told = [figure.as_json() for figure in figures]
        _say(json.dumps({"rows": chosen.rows, "figures": told}, indent=1))
    else:
        held = f"nothing is {chosen.slack:g} times worse than its target"
        good = "all targets hold" if chosen.slack == 1 else held
        _say(good if not missed else f"missed: {', '.join(missed)}")
    return 1 if missed else 0


def _say(*lines: str) -> None:
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


if __name__ == "__main__":
    sys.exit(main())
