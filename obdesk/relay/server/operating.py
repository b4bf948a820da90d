"""What an operator does to a relay's store: sources, codes, devices; each says what came of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from obdesk.relay.protocol import EVENTS, SourceKind
from obdesk.relay.server.keys import hashed, new_code
from obdesk.relay.server.signature import signed_path
from obdesk.relay.server.store import Broker, BrokerStep, Gzip, Source

if TYPE_CHECKING:
    from obdesk.relay.server.keys import Keys
    from obdesk.relay.server.store import Device, Store

_NAME_MAX: Final = 60


class OperatorError(Exception):
    """What was asked for cannot be done; its text says why, in a sentence."""


@dataclass(frozen=True, slots=True)
class Operator:
    """The store and key that an operator works with, and the time."""

    store: Store
    keys: Keys
    now_us: int

    async def add_source(self, name: str, kind: SourceKind, secret: str, gzip: Gzip) -> Source:
        """Make a source; raises OperatorError where there is one of that name."""
        _check_name(name)
        source_id = self.keys.source_id(name)
        if await self.store.source(source_id) is not None:
            raise OperatorError(
                f"There is a source {name} already. Its secret is changed with rotate-secret, and everything"
                " else by removing it first."
            )
        source = Source(source_id, name, kind, (self._locked(secret),), gzip)
        await self.store.add_source(source, hashed(self.keys.capability(source_id)))
        return source

    def addresses(self, source: Source, public_url: str) -> list[str]:
        """Return the webhook addresses of a source, one for each event."""
        capability = self.keys.capability(source.id)
        return [f"{public_url}{signed_path(capability, event)}" for event in EVENTS]

    async def named(self, name: str) -> Source:
        """Return the source of a name; raises OperatorError."""
        source = await self.store.source(self.keys.source_id(name))
        if source is None:
            raise OperatorError(f"There is no source {name}. The sources are listed by: obdesk relay sources")
        return source

    async def remove_source(self, name: str) -> None:
        """Remove a source with its devices; raises OperatorError."""
        await self.store.remove_source((await self.named(name)).id, self.now_us)

    async def pairing_code(self, name: str, valid_us: int) -> str:
        """Return a one-time code for pairing a device with a source; raises OperatorError."""
        source, code = await self.named(name), new_code()
        await self.store.add_code(hashed(code), source.id, self.now_us + valid_us)
        return code

    async def begin_rotation(self, name: str, secret: str) -> None:
        """Take another signing secret beside the present one; raises OperatorError."""
        source = await self.named(name)
        if len(source.secrets) > 1:
            raise OperatorError(
                f"The source {name} has two secrets already. Once the aggregator signs with the newer one:"
                f" obdesk relay rotate-secret {name} --finish"
            )
        await self._with_secrets(source, (self._locked(secret), *source.secrets))

    async def finish_rotation(self, name: str) -> None:
        """Keep the newer signing secret alone; raises OperatorError."""
        source = await self.named(name)
        if len(source.secrets) < 2:
            raise OperatorError(f"The source {name} has one secret; there is nothing to finish.")
        await self._with_secrets(source, source.secrets[:1])

    async def _with_secrets(self, source: Source, secrets: tuple[bytes, ...]) -> None:
        capability_hash = hashed(self.keys.capability(source.id))
        await self.store.add_source(replace(source, secrets=secrets), capability_hash)

    async def devices(self, name: str) -> list[tuple[Device, Broker]]:
        """Return the devices of a source with what the broker did for each; raises OperatorError."""
        found = await self.store.devices((await self.named(name)).id)
        return [(device, await self.store.broker(device.id)) for device in found]

    async def revoke(self, device_id: str) -> None:
        """Remove a device; raises OperatorError."""
        if not await self.store.remove_device(device_id):
            raise OperatorError(f"There is no device {device_id}. They are listed by: obdesk relay devices")

    async def forget_user(self, device_id: str) -> None:
        """Let a user be made for a device again, whose first try had an unknown end; raises OperatorError."""
        if not await self.store.set_broker(device_id, BrokerStep.BEGUN, Broker()):
            raise OperatorError(
                f"For the device {device_id} it is not unknown whether a user was made. Nothing was changed."
            )

    def _locked(self, secret: str) -> bytes:
        if not secret:
            raise OperatorError(
                "A source needs the secret of an authentication provider of the type hmac_signature, which"
                " the aggregator shows once. Without it the aggregator sends users' live tokens."
            )
        return self.keys.lock(secret.encode())


def _check_name(name: str) -> None:
    if not name.isprintable() or not name.strip() or len(name) > _NAME_MAX or name != name.strip():
        raise OperatorError(f"A source's name has 1 to {_NAME_MAX} characters that can be printed.")
