"""What every problem the bootstrap reports must look like."""

from __future__ import annotations

import re


def has_three_parts(text: str) -> bool:
    """Tell whether a text gives a title, a cause and what to do."""
    return bool(re.search(r"^Error: .+\n  Cause: .+\n  What to do: .+$", text.strip()))
