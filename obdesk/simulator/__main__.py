"""`python -m obdesk.simulator`: the simulator as a process of its own."""

from __future__ import annotations

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from obdesk.simulator.clock import Clock
from obdesk.simulator.control.table import ControlError
from obdesk.simulator.options import Options
from obdesk.simulator.server import Simulator, play, serve

if TYPE_CHECKING:
    from collections.abc import Callable


def _instant(text: str) -> datetime:
    instant = datetime.fromisoformat(text)
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _at_least(lowest: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if value < lowest:
            raise argparse.ArgumentTypeError(f"must be at least {lowest}")
        return value

    return number


def _parser() -> argparse.ArgumentParser:
    defaults = Options()
    parser = argparse.ArgumentParser(prog="python -m obdesk.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 picks a free one")
    parser.add_argument("--seed", type=int, default=defaults.seed, help="everything invented follows from it")
    parser.add_argument("--banks", type=_at_least(1), default=defaults.banks, help="number of invented banks")
    parser.add_argument("--accounts", type=_at_least(1), help="accounts in total over the invented banks")
    parser.add_argument(
        "--transactions", type=_at_least(0), help="transactions in total over the invented banks"
    )
    parser.add_argument(
        "--history-days", type=_at_least(1), default=defaults.history_days, help="how far back rows go"
    )
    parser.add_argument(
        "--start", type=_instant, help="virtual instant to start at, ISO 8601; default is now"
    )
    parser.add_argument("--frozen", action="store_true", help="the clock stands still until it is moved")
    parser.add_argument("--scenario", type=Path, help="JSON file with a list of control calls")
    parser.add_argument("--webhook-url", help="address for webhooks; {event} is replaced by the event's name")
    parser.add_argument("--webhook-secret", help="secret that signs webhooks; a bearer is sent without it")
    return parser


def _scenario(path: Path | None) -> list[dict[str, Any]]:
    if path is None:
        return []
    steps = json.loads(path.read_text(encoding="utf-8"))
    if not isinstance(steps, list):
        raise ControlError("a scenario is a JSON list of control calls")
    return steps


def main(arguments: list[str] | None = None) -> int:
    """Run the simulator until it is told to stop; returns the exit code."""
    given = _parser().parse_args(arguments)
    options = Options(
        seed=given.seed,
        banks=given.banks,
        accounts=given.accounts,
        transactions=given.transactions,
        history_days=given.history_days,
        webhook_url=given.webhook_url,
        webhook_secret=given.webhook_secret,
    )
    simulator = Simulator(options=options, clock=Clock(given.start, frozen=given.frozen))
    try:
        play(simulator, _scenario(given.scenario))
        serve(simulator, given.host, given.port)
    except (ControlError, ValueError) as error:
        sys.stderr.write(f"The scenario {given.scenario} cannot be played: {error}\n")
        return 1
    except OSError as error:
        sys.stderr.write(f"The simulator cannot start: {error}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
