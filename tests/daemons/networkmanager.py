"""NetworkManager's one property that matters here, on the session bus.

Run it with `python -m tests.daemons.networkmanager NUMBER`; it prints `ready` when it owns its name.
"""

from __future__ import annotations

import sys

from jeepney import MessageType, new_method_return
from jeepney.bus_messages import message_bus
from jeepney.io.blocking import Proxy, open_dbus_connection

NAME = "org.freedesktop.NetworkManager"


def serve(metered: int) -> None:
    """Answer each question for a property with this value of NMMetered."""
    with open_dbus_connection("SESSION") as bus:
        Proxy(message_bus, bus).RequestName(NAME)
        sys.stdout.write("ready\n")
        sys.stdout.flush()
        while True:
            call = bus.receive()
            if call.header.message_type is MessageType.method_call:
                bus.send(new_method_return(call, "v", (("u", metered),)))


if __name__ == "__main__":
    serve(int(sys.argv[1]))
