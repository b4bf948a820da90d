"""Make obdesk's environment and run something in it: demo, run, test, bench, simulate-years, lock.

Usage, from anywhere: python3 packaging/bootstrap.py COMMAND [ARGUMENTS...]

This file stays readable for every Python since 2.7, so that an old one gets a sentence instead of a
syntax error. Everything newer lives in the bootstrapper folder beside it.
"""

import sys

if sys.version_info < (3, 11):  # noqa: UP036 - this is the guard itself
    try:
        from shutil import which
    except ImportError:  # Python 2
        which = None
    names = ("python3.14", "python3.13", "python3.12", "python3.11")
    newer = [name for name in names if which and which(name)]
    sys.stderr.write(
        "Error: this Python is too old\n"
        "  Cause: obdesk needs Python 3.11 to 3.14, this is Python {}.{}.\n"
        "  What to do: {} packaging/bootstrap.py {}\n".format(
            sys.version_info[0],
            sys.version_info[1],
            newer[0] if newer else "install Python 3.11 or later, then run: python3.11",
            " ".join(sys.argv[1:]) or "demo",
        )
    )
    sys.exit(1)

from bootstrapper.main import main

if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
