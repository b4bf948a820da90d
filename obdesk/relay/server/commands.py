"""`obdesk relay ...`: for the operator of a relay. Sentences are English, as operators' tools are.

The commands work beside a relay that serves the same store. A signing secret comes by standard input:
other users of the machine can see a command line.
"""

from __future__ import annotations

import asyncio
import getpass
import socket
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final, TypeVar

import typer

from obdesk.relay.protocol import SourceKind
from obdesk.relay.server import serving, workers
from obdesk.relay.server.app import wall_clock_us
from obdesk.relay.server.keys import BadKeyError
from obdesk.relay.server.keys import load as load_keys
from obdesk.relay.server.operating import Operator, OperatorError
from obdesk.relay.server.settings import Settings, SettingsError, load
from obdesk.relay.server.store import BrokerStep, Gzip, StoreDownError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Sequence

    from obdesk.relay.server.store import Device, Source

_T = TypeVar("_T")
_DAY_H: Final = 24
_HOUR_US: Final = 3_600 * 1_000_000
_USAGE: Final = 2

app = typer.Typer(
    name="relay",
    help="Receive an aggregator's webhooks and keep sealed hints until desktops read them.",
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    add_completion=False,
    context_settings={"help_option_names": ["--help", "-h"]},
)

_Config = Annotated[Path | None, typer.Option("--config", metavar="FILE", help="Settings in a TOML file.")]
_Store = Annotated[
    str | None, typer.Option("--store", metavar="URL", help="sqlite:///PATH or redis://HOST:PORT/0.")
]
_KeyFile = Annotated[
    str | None,
    typer.Option("--key-file", metavar="FILE", help="The operator's key; made where it is missing."),
]
_PublicUrl = Annotated[
    str | None,
    typer.Option("--public-url", metavar="URL", help="Where the aggregator reaches the relay: https://..."),
]
_Name = Annotated[str, typer.Argument(metavar="NAME", help="The source's name.")]
_SecretStdin = Annotated[
    bool, typer.Option("--secret-stdin", help="Read the signing secret from standard input.")
]


def main(arguments: Sequence[str]) -> int:
    """Run one command of the relay and return its exit code: 0 done, 1 failed, 2 not understood."""
    command = typer.main.get_command(app)
    try:
        code = command.main(list(arguments), prog_name="obdesk relay", standalone_mode=False)
    except typer.TyperException as error:
        context = getattr(error, "ctx", None)
        asked = context.command_path if context is not None else "obdesk relay"
        _tell(error.format_message(), f"See: {asked} --help")
        return _USAGE
    except (SettingsError, OperatorError, BadKeyError, StoreDownError) as error:
        _tell(_sentence(str(error)))
        return 1
    except OSError as error:
        _tell(f"{error.filename or 'The system'}: {error.strerror or error}.")
        return 1
    except (KeyboardInterrupt, typer.Abort):
        return 130
    return code if isinstance(code, int) else 0


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:]}{'' if text.endswith('.') else '.'}"


def _say(*lines: str) -> None:
    for line in lines:
        typer.echo(line)


def _tell(*lines: str) -> None:
    for line in lines:
        typer.echo(line, err=True)


def _settings(config: Path | None, **flags: str | None) -> Settings:
    return load(flags, config=config)


def _operated(settings: Settings, work: Callable[[Operator], Awaitable[_T]]) -> _T:
    """Run what an operator does on the store, beside a relay that may be serving it."""

    async def run() -> _T:
        store = await serving.open_store(settings.store, folder=settings.state, beside=True)
        try:
            keys = await serving.keys_of(settings, store)
            return await work(Operator(store, keys, wall_clock_us()))
        finally:
            await store.close()

    return asyncio.run(run())


def _secret() -> str:
    """Return a secret from standard input; a person who types it is asked, and does not see it."""
    if sys.stdin.isatty():
        return getpass.getpass("Signing secret: ").strip()
    return sys.stdin.readline().strip()


def _public(settings: Settings) -> str:
    if settings.public_url is None:
        raise SettingsError(
            "Say where the aggregator reaches the relay, for that is a part of the addresses:"
            " --public-url https://relay.example"
        )
    return settings.public_url


@app.command("serve")
def serve(
    *,
    config: _Config = None,
    store: _Store = None,
    key_file: _KeyFile = None,
    public_url: _PublicUrl = None,
    listen: Annotated[
        str | None,
        typer.Option("--listen", metavar="WHERE", help="HOST:PORT or unix:PATH; 127.0.0.1:8470 if not said."),
    ] = None,
    worker_count: Annotated[
        str | None, typer.Option("--workers", metavar="N", help="Processes; more than 1 only with Redis.")
    ] = None,
    trusted_proxies: Annotated[
        str | None,
        typer.Option("--trusted-proxies", metavar="LIST", help="Networks whose X-Forwarded-For is believed."),
    ] = None,
    metrics_from: Annotated[
        str | None, typer.Option("--metrics-from", metavar="LIST", help="Networks that may read /metrics.")
    ] = None,
    metrics_listen: Annotated[
        str | None,
        typer.Option(
            "--metrics-listen",
            metavar="WHERE",
            help="HOST:PORT for /metrics alone; further workers take the ports that follow.",
        ),
    ] = None,
    api_url: Annotated[
        str | None,
        typer.Option("--api-url", metavar="URL", help="The aggregator's API, for shared sources."),
    ] = None,
    log_level: Annotated[
        str | None, typer.Option("--log-level", metavar="LEVEL", help="debug, info, warning or error.")
    ] = None,
    socket_fd: Annotated[int | None, typer.Option("--socket-fd", hidden=True)] = None,
    ready_fd: Annotated[int | None, typer.Option("--ready-fd", hidden=True)] = None,
    worker: Annotated[int, typer.Option("--worker", hidden=True)] = 0,
) -> None:
    """Serve the relay until it is told to end. It says where, once it answers."""
    flags = {
        "store": store, "key_file": key_file, "public_url": public_url, "listen": listen,
        "workers": worker_count, "trusted_proxies": trusted_proxies, "metrics_from": metrics_from,
        "metrics_listen": metrics_listen, "api_url": api_url, "log_level": log_level,
    }  # fmt: skip
    settings = _settings(config, **flags)
    if socket_fd is not None:
        serving.serve(settings, socket.socket(fileno=socket_fd), workers.teller(ready_fd), worker=worker)
        return
    with serving.listen(settings.listen) as listener:
        listening = f"Listening on {serving.address_of(listener)}"
        if settings.workers == 1:
            serving.serve(settings, listener, lambda: _say(listening))
            return
        load_keys(settings.key_file)
        _say(listening)
        given = [(f"--{name.replace('_', '-')}", value) for name, value in flags.items() if value is not None]
        told = [*(["--config", str(config)] if config else []), *(word for pair in given for word in pair)]
        raise typer.Exit(workers.Workers(workers.command(told), settings.workers, listener).run())


@app.command("add-source")
def add_source(
    name: _Name,
    *,
    personal: Annotated[
        bool | None,
        typer.Option("--personal/--shared", help="One person's own application, or one for many people."),
    ] = None,
    secret_stdin: _SecretStdin = False,
    gzip: Annotated[
        Gzip, typer.Option("--gzip", help="Take compressed bodies, and which bytes their signature is over.")
    ] = Gzip.OFF,
    config: _Config = None,
    store: _Store = None,
    key_file: _KeyFile = None,
    public_url: _PublicUrl = None,
) -> None:
    """Make a source and print its webhook addresses, one for each event.

    The secret is the one that the aggregator showed when an authentication provider of the type
    hmac_signature was made; link that provider to each of these webhooks.
    """
    if personal is None:
        raise typer.BadParameter("Say whom the source serves: --personal or --shared")
    if not secret_stdin:
        raise typer.BadParameter(
            "The signing secret is needed, by standard input: --secret-stdin. Without it the aggregator sends"
            " users' live tokens."
        )
    settings = _settings(config, store=store, key_file=key_file, public_url=public_url)
    url, secret = _public(settings), _secret()
    kind = SourceKind.PERSONAL if personal else SourceKind.SHARED

    async def work(operator: Operator) -> list[str]:
        return operator.addresses(await operator.add_source(name, kind, secret, gzip), url)

    _say(*_operated(settings, work))


@app.command("sources")
def sources(
    *,
    urls: Annotated[bool, typer.Option("--urls", help="Print the webhook addresses too.")] = False,
    config: _Config = None,
    store: _Store = None,
    key_file: _KeyFile = None,
    public_url: _PublicUrl = None,
) -> None:
    """List the sources: whom each serves, when it last had a delivery, and whether a token was seen."""
    settings = _settings(config, store=store, key_file=key_file, public_url=public_url)

    async def work(operator: Operator) -> list[str]:
        lines: list[str] = []
        for source in await operator.store.sources():
            lines.append(_described(source))
            lines += operator.addresses(source, _public(settings)) if urls else []
        return lines

    _say(*_operated(settings, work))


def _described(source: Source) -> str:
    last = "no delivery yet" if source.delivered_at_us is None else f"last {_when(source.delivered_at_us)}"
    words = [source.name, source.kind.value, last]
    if len(source.secrets) > 1:
        words.append("two secrets")
    if source.bearer_seen_at_us is not None:
        words.append(
            f"LIVE TOKEN SEEN {_when(source.bearer_seen_at_us)}: link the webhooks to hmac_signature"
        )
    return "  ".join(words)


def _when(time_us: int) -> str:
    return datetime.fromtimestamp(time_us / 1e6, UTC).strftime("%Y-%m-%d %H:%M UTC")


@app.command("remove-source")
def remove_source(
    name: _Name, *, config: _Config = None, store: _Store = None, key_file: _KeyFile = None
) -> None:
    """Remove a source with its devices and all that waits for them."""
    settings = _settings(config, store=store, key_file=key_file)
    _operated(settings, lambda operator: operator.remove_source(name))
    _say(f"{name} is removed. Delete its webhooks at the aggregator.")


@app.command("pair")
def pair(
    *,
    source: Annotated[str, typer.Option("--source", metavar="NAME", help="The source to pair with.")],
    hours: Annotated[
        int, typer.Option("--hours", metavar="N", min=1, max=720, help="How long the code is good.")
    ] = _DAY_H,
    config: _Config = None,
    store: _Store = None,
    key_file: _KeyFile = None,
) -> None:
    """Print a code with which one desktop becomes a device, once."""
    settings = _settings(config, store=store, key_file=key_file)
    _say(_operated(settings, lambda operator: operator.pairing_code(source, hours * _HOUR_US)))


@app.command("devices")
def devices(
    *,
    source: Annotated[
        str | None, typer.Option("--source", metavar="NAME", help="List the devices of this source.")
    ] = None,
    forget_user: Annotated[
        str | None,
        typer.Option("--forget-user", metavar="ID", help="Let a user be made for this device after all."),
    ] = None,
    config: _Config = None,
    store: _Store = None,
    key_file: _KeyFile = None,
) -> None:
    """List the devices of a source, or free one for which it is unknown whether a user was made."""
    if (source is None) == (forget_user is None):
        raise typer.BadParameter("Give --source NAME, or --forget-user ID")
    settings = _settings(config, store=store, key_file=key_file)

    async def work(operator: Operator) -> list[str]:
        if forget_user is not None:
            await operator.forget_user(forget_user)
            return [f"The next wish of {forget_user} makes a user."]
        found = await operator.devices(source or "")
        return [
            f"{device.id}  {'user known' if device.route else 'no user'}  {_asked(device)}"
            f"  {_BROKER[broker.step]}".rstrip()
            for device, broker in found
        ]

    _say(*_operated(settings, work))


def _asked(device: Device) -> str:
    return "has not asked yet" if device.pulled_at_us is None else f"last asked {_when(device.pulled_at_us)}"


_BROKER: Final = {
    BrokerStep.NONE: "",
    BrokerStep.BEGUN: "UNKNOWN WHETHER A USER WAS MADE: find out, then --forget-user",
    BrokerStep.DONE: "user made here",
}


@app.command("revoke")
def revoke(
    device: Annotated[str, typer.Argument(metavar="DEVICE", help="The device's id, as devices lists it.")],
    *,
    config: _Config = None,
    store: _Store = None,
    key_file: _KeyFile = None,
) -> None:
    """Remove a device; it cannot come back without a new code."""
    settings = _settings(config, store=store, key_file=key_file)
    _operated(settings, lambda operator: operator.revoke(device))
    _say(f"{device} is removed.")


@app.command("new-epoch")
def new_epoch(*, config: _Config = None, store: _Store = None, key_file: _KeyFile = None) -> None:
    """Let every device ask about everything once, as after a store was put back from a copy."""
    settings = _settings(config, store=store, key_file=key_file)
    _operated(settings, lambda operator: operator.store.renew_epoch())
    _say("Every device asks about everything at its next pull.")


@app.command("rotate-secret")
def rotate_secret(
    name: _Name,
    *,
    secret_stdin: _SecretStdin = False,
    finish: Annotated[bool, typer.Option("--finish", help="Keep the newer secret alone.")] = False,
    config: _Config = None,
    store: _Store = None,
    key_file: _KeyFile = None,
) -> None:
    """Take a second signing secret beside the first, and later the second alone."""
    if secret_stdin == finish:
        raise typer.BadParameter("Give --secret-stdin for the new secret, or --finish to drop the old one")
    settings = _settings(config, store=store, key_file=key_file)
    if finish:
        _operated(settings, lambda operator: operator.finish_rotation(name))
        _say(f"{name} has its newer secret alone.")
        return
    secret = _secret()
    _operated(settings, lambda operator: operator.begin_rotation(name, secret))
    _say(
        f"{name} takes both secrets now. Once the aggregator signs with the new one:",
        f"obdesk relay rotate-secret {name} --finish",
    )
