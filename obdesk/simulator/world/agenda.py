"""What falls due for connections when time passes; attached to a world that knows nothing of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from obdesk.simulator.world import linking, syncing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from obdesk.simulator.world.entities import Connection
    from obdesk.simulator.world.world import World


def attach(world: World) -> None:
    """Make a world run its connections' automatic syncs, imports and purges as its clock moves."""

    def due() -> Iterator[tuple[int, Callable[[], None]]]:
        for connection in world.connections.values():
            item = _next_due(world, connection)
            if item is not None:
                yield item

    world.calendars.append(due)


def _next_due(world: World, connection: Connection) -> tuple[int, Callable[[], None]] | None:
    due: list[tuple[int, Callable[[], None]]] = []
    if connection.expire is not None and not connection.consented:
        due.append((connection.expire, lambda: syncing.purge(world, connection)))
    if connection.validates_at is not None:
        due.append((connection.validates_at, lambda: linking.finish_validation(world, connection)))
    imports = [account.import_at for account in connection.accounts if account.import_at is not None]
    if imports:
        due.append((min(imports), lambda: syncing.run_imports(world, connection)))
    if connection.next_try is not None and connection.active and world.switches.auto_sync:
        due.append((connection.next_try, lambda: syncing.automatic_sync(world, connection)))
    return min(due, key=lambda item: item[0], default=None)
