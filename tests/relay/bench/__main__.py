"""`python -m tests.relay.bench [NAME] [--slack S] [--json] [--quick]`: every figure beside its target."""

from __future__ import annotations

import argparse
import json
import sys
from typing import TYPE_CHECKING

from tests.relay.bench import flood, polls, throughput

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.benchmarks.figures import Figure

BENCHES: dict[str, tuple[Callable[[int], list[Figure]], int, int]] = {
    "throughput": (throughput.measure, 10_000, 1_000),
    "flood": (flood.measure, 1_500, 200),
    "polls": (polls.measure, 10_000, 1_000),
}
"""Name: what is measured, how many for a report, and how many where it only has to work."""


def main(arguments: list[str] | None = None) -> int:
    """Run one bench or all; exit 1 when a target is missed."""
    parser = argparse.ArgumentParser(prog="python -m tests.relay.bench", description=__doc__)
    parser.add_argument("name", nargs="?", choices=sorted(BENCHES), help="one of them; all when left out")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of lines")
    parser.add_argument("--quick", action="store_true", help="a tenth, to see that it works")
    parser.add_argument(
        "--slack", type=float, default=1.0, help="fail only what is this many times worse than its target"
    )
    chosen = parser.parse_args(arguments)
    figures: list[Figure] = []
    for name in [chosen.name] if chosen.name else BENCHES:
        measure, many, few = BENCHES[name]
        found = measure(few if chosen.quick else many)
        figures += found
        if not chosen.json:
            _say(f"[{name}]", *(figure.line() for figure in found))
    missed = [figure.name for figure in figures if not figure.within(chosen.slack)]
    if chosen.json:
        _say(json.dumps([figure.as_json() for figure in figures], indent=1))
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
