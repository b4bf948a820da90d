"""`python -m tests.relay.bench [NAME] [--slack S] [--json] [--quick]`: every figure beside its target."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

from tests.benchmarks.figures import asked, say, verdict
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
    parser = asked("python -m tests.relay.bench", __doc__, sorted(BENCHES))
    parser.add_argument("--quick", action="store_true", help="a tenth, to see that it works")
    chosen = parser.parse_args(arguments)
    figures: list[Figure] = []
    for name in [chosen.name] if chosen.name else BENCHES:
        measure, many, few = BENCHES[name]
        found = measure(few if chosen.quick else many)
        figures += found
        if not chosen.json:
            say(f"[{name}]", *(figure.line() for figure in found))
    line, holds = verdict(figures, chosen.slack)
    if chosen.json:
        say(json.dumps([figure.as_json() for figure in figures], indent=1))
    else:
        say(line)
    return 0 if holds else 1


if __name__ == "__main__":
    sys.exit(main())
