"""A program that is the command line again and again: the other half of test_quitting.py.

Each line of input is one life: its arguments, the file for what it says, and by which signal it is asked to
end after how many seconds, if it is. It is forked from this process, whose imports are done; all else is as
if a shell had started it. Printed are its exit code as a shell tells it, and the seconds from being asked
(or from its beginning) to its end.
"""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
import time

from obdesk.__main__ import main
from obdesk.cli import main as _imported  # noqa: F401 - imported before the first life


def lives() -> int:
    """Live as often as asked; return the exit code of a life, or 0 when nothing more is asked."""
    for line in sys.stdin:
        order = json.loads(line)
        child = os.fork()
        if child == 0:
            # A shell that runs us behind itself ignores Ctrl+C; a person's does not.
            signal.signal(signal.SIGINT, signal.default_int_handler)
            said = os.open(order["said"], os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            for number, file in ((0, os.open(os.devnull, os.O_RDONLY)), (1, said), (2, said)):
                os.dup2(file, number)
            return main(order["arguments"])
        since_s = time.monotonic()
        if order["asked"]:
            threading.Event().wait(order["after_s"])
            since_s = time.monotonic()
            os.kill(child, order["asked"])  # it may be over; its number is kept until it is waited for
        _, status = os.waitpid(child, 0)
        took_s = time.monotonic() - since_s
        code = os.waitstatus_to_exitcode(status)
        os.write(1, (json.dumps([128 - code if code < 0 else code, took_s]) + "\n").encode())
    return 0


if __name__ == "__main__":
    sys.exit(lives())
