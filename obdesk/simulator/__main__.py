"""`python -m obdesk.simulator`: the simulator as a process of its own."""

from __future__ import annotations

import argparse
import sys
from dataclasses import replace

from obdesk.simulator.options import Options
from obdesk.simulator.server import Simulator, serve


def _parser() -> argparse.ArgumentParser:
    defaults = Options()
    parser = argparse.ArgumentParser(prog="python -m obdesk.simulator", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on")
    parser.add_argument("--port", type=int, default=0, help="port to listen on; 0 picks a free one")
    parser.add_argument("--seed", type=int, default=defaults.seed, help="everything invented follows from it")
    parser.add_argument("--banks", type=int, default=defaults.banks, help="number of invented banks")
    parser.add_argument("--accounts", type=int, help="accounts in total over the invented banks")
    parser.add_argument("--transactions", type=int, help="transactions in total over the invented banks")
    return parser


def main(arguments: list[str] | None = None) -> int:
    """Run the simulator until it is told to stop; returns the exit code."""
    given = _parser().parse_args(arguments)
    options = replace(
        Options(),
        seed=given.seed,
        banks=given.banks,
        accounts=given.accounts,
        transactions=given.transactions,
    )
    try:
        serve(Simulator(options=options), given.host, given.port)
    except OSError as error:
        sys.stderr.write(f"The simulator cannot listen on {given.host}:{given.port}: {error.strerror}\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
