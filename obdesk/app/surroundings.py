"""What the machine around the program tells: a port, because who knows it differs by front end."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Callable


class Surroundings(Protocol):
    """Network and power as far as they are known; None is an honest answer."""

    def online(self) -> bool | None:
        """Tell whether there is a network."""
        ...

    def metered(self) -> bool | None:
        """Tell whether its use costs money. May ask another program: not for the interface's thread."""
        ...

    def battery_percent(self) -> int | None:
        """Return the charge while the battery is in use. May read files: not for the interface's thread."""
        ...

    def listen(self, changed: Callable[[], object]) -> None:
        """Call `changed` when the network comes, goes or changes."""
        ...


class Unknown:
    """Surroundings of which nothing is known: nothing waits because of them."""

    def online(self) -> bool | None:
        """Return that it is not known."""
        return None

    def metered(self) -> bool | None:
        """Return that it is not known."""
        return None

    def battery_percent(self) -> int | None:
        """Return that it is not known."""
        return None

    def listen(self, changed: Callable[[], object]) -> None:
        """Never call."""
