"""`obdesk simulate`: the simulator as a process of its own."""

from __future__ import annotations

import argparse
import errno
import json
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from obdesk.simulator.clock import Clock
from obdesk.simulator.control.table import ControlError
from obdesk.simulator.options import Options
from obdesk.simulator.server import Simulator, play, serve

if TYPE_CHECKING:
    from collections.abc import Callable


_PROG = "obdesk simulate"
_PORT_MAX = 65_535
_FAILED, _USAGE = 1, 2


class _Parser(argparse.ArgumentParser):
    """Answers a mistake like every other command: title, cause, what to do."""

    def error(self, message: str) -> NoReturn:
        """Say what was not understood, and end."""
        _tell("The command was not understood", _sentence(message), f"Nothing was done. See: {_PROG} --help")
        sys.exit(_USAGE)


def _tell(title: str, cause: str, what_to_do: str) -> None:
    sys.stderr.write("".join(f"{' '.join(line.split())}\n" for line in (title, cause, what_to_do)))


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _instant(text: str) -> datetime:
    try:
        instant = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not an instant such as 2026-02-03T08:00:00") from None
    return instant if instant.tzinfo else instant.replace(tzinfo=UTC)


def _whole(text: str) -> int:
    try:
        return int(text)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number") from None


def _at_least(lowest: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = _whole(text)
        if value < lowest:
            raise argparse.ArgumentTypeError(f"must be at least {lowest}")
        return value

    return number


def _port(text: str) -> int:
    value = _whole(text)
    if not 0 <= value <= _PORT_MAX:
        raise argparse.ArgumentTypeError(f"must be between 0 and {_PORT_MAX}")
    return value


def _parser() -> argparse.ArgumentParser:
    defaults = Options()
    parser = _Parser(
        prog=_PROG,
        description="Serve invented banks over HTTP, like Powens. The first line of output is one JSON "
        "object with the addresses and the credentials; Ctrl+C ends it.",
        allow_abbrev=False,
    )
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=_port, default=0, help="port to listen on; 0 picks a free one")
    parser.add_argument(
        "--seed", type=_whole, default=defaults.seed, help="all that is invented follows from it"
    )
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


def _reason(error: OSError) -> str:
    return _sentence(error.strerror or str(error))


def _played(simulator: Simulator, path: Path | None) -> bool:
    try:
        play(simulator, _scenario(path))
    except OSError as error:
        _tell(
            f"The scenario {path} cannot be read",
            _reason(error),
            "Nothing was started. Name a JSON file that exists and that you may read.",
        )
    except (ControlError, ValueError) as error:
        _tell(
            f"The scenario {path} cannot be played",
            _sentence(str(error)),
            "Nothing was started. Correct the file, then try again.",
        )
    else:
        return True
    return False


def _served(simulator: Simulator, host: str, port: int) -> bool:
    try:
        serve(simulator, host, port)
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            _tell(
                f"The port {port} is in use",
                f"Another program on this computer already listens on {host}, port {port}.",
                "End that program, choose another --port, or leave --port out to get a free one.",
            )
        else:
            _tell(
                f"The simulator cannot listen on {host}, port {port}",
                _reason(error),
                "Choose another --host or --port; without them it listens on this computer only.",
            )
        return False
    return True


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
    if _played(simulator, given.scenario) and _served(simulator, given.host, given.port):
        return 0
    return _FAILED


if __name__ == "__main__":
    sys.exit(main())
