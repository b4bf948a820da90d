"""A measured figure beside the limit it is held against, both from the same run on the same machine."""

from __future__ import annotations

import argparse
import math
import sys
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence


@dataclass(frozen=True, slots=True)
class Figure:
    """One line of a report. `ratio` is value over limit; `target` is what it must keep to."""

    name: str
    value: float
    unit: str
    limit: float | None
    """The denominator, measured in the same run; None for a figure held against a plain number."""
    limit_name: str
    target: float
    higher_is_better: bool = False

    @property
    def ratio(self) -> float:
        """Return the value over its limit, or the value itself where there is none."""
        return self.value if self.limit is None else self.value / self.limit

    @property
    def ok(self) -> bool:
        """Tell whether the target holds."""
        return self.within(1)

    def within(self, slack: float) -> bool:
        """Tell whether the figure is at most `slack` times worse than its target."""
        if self.higher_is_better:
            return self.ratio * slack >= self.target
        return self.ratio <= self.target * slack

    def line(self) -> str:
        """Return the figure as a line for people."""
        sign = "≥" if self.higher_is_better else "≤"
        held = "holds" if self.ok else "MISSED"
        limit = "" if self.limit is None else f" / {self.limit:,.3g} {self.unit} ({self.limit_name})"
        figure = f"{self.name}: {self.value:,.4g} {self.unit}{limit} = {self.ratio:.3g}"
        return f"{figure}, target {sign} {self.target:g}: {held}"

    def as_json(self) -> dict[str, object]:
        """Return the figure for machines."""
        return {**asdict(self), "ratio": self.ratio, "ok": self.ok}


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest value that at least `share` of the values do not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def verdict(figures: Sequence[Figure], slack: float) -> tuple[str, bool]:
    """Return the line that sums a report up, and whether nothing is that many times worse than its target."""
    missed = [figure.name for figure in figures if not figure.within(slack)]
    if missed:
        return f"missed: {', '.join(missed)}", False
    return "all targets hold" if slack == 1 else f"nothing is {slack:g} times worse than its target", True


def say(*lines: str) -> None:
    """Write lines at once: who waits for a benchmark wants to see how far it is."""
    sys.stdout.write("\n".join(lines) + "\n")
    sys.stdout.flush()


def asked(prog: str, description: str | None, names: Collection[str]) -> argparse.ArgumentParser:
    """Return what every report can be asked for."""
    parser = argparse.ArgumentParser(prog=prog, description=description)
    parser.add_argument("name", nargs="?", choices=names, help="one benchmark; all when left out")
    parser.add_argument("--json", action="store_true", help="one JSON document instead of lines")
    parser.add_argument(
        "--slack", type=float, default=1.0, help="fail only what is this many times worse than its target"
    )
    return parser
