"""A measured figure beside the limit it is held against, both from the same run on the same machine."""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


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
