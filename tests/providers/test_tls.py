"""Who gets the token: only a server that the system vouches for, over a version of TLS that still holds."""

from __future__ import annotations

import logging
import ssl
import sys
import warnings
from typing import TYPE_CHECKING

import h2.config
import h2.connection
import h2.events
import pytest

from obdesk.domain.conditions import Condition
from obdesk.domain.outcomes import Fetched, RetryLater
from tests.providers.authorities import Authority
from tests.providers.conftest import TOKEN
from tests.providers.scripted import answer_json, in_turn

if TYPE_CHECKING:
    import asyncio
    from pathlib import Path

    from tests.providers.conftest import Benches

pytestmark = [
    pytest.mark.anyio,
    pytest.mark.skipif(sys.platform != "linux", reason="elsewhere the system's own store decides"),
]

GOOD = in_turn(answer_json({"connections": [], "total": 0}))


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Authority:
    """Make the system vouch for one authority alone."""
    authority = Authority(tmp_path, "trusted")
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    return authority


async def test_a_server_that_the_system_vouches_for_gets_the_token(
    bench: Benches, trusted: Authority
) -> None:
    async with bench.before(GOOD, tls=trusted.server()) as b:
        assert await b.provider.connections() == Fetched(())

    assert b.server.asked[0].headers["authorization"] == f"Bearer {TOKEN}"


@pytest.mark.parametrize("flaw", ["expired", "another host", "another authority"])
async def test_a_certificate_with_a_flaw_gets_no_token(
    bench: Benches, trusted: Authority, tmp_path: Path, flaw: str
) -> None:
    contexts = {
        "expired": lambda: trusted.server(days=-1),
        "another host": lambda: trusted.server("127.0.0.2"),
        "another authority": lambda: Authority(tmp_path, "stranger").server(),
    }
    async with bench.before(GOOD, tls=contexts[flaw]()) as b:
        outcome = await b.provider.connections()

    assert outcome == RetryLater(Condition.OFFLINE, None, "certificate_refused")
    assert b.server.asked == []
    assert b.provider.requests == 1


async def test_an_old_version_of_tls_gets_no_token(bench: Benches, trusted: Authority) -> None:
    old = trusted.server()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # the old version is the point
        old.minimum_version = old.maximum_version = ssl.TLSVersion.TLSv1_1
    old.set_ciphers("ALL:@SECLEVEL=0")
    async with bench.before(GOOD, tls=old) as b:
        outcome = await b.provider.connections()

    assert outcome == RetryLater(Condition.OFFLINE, None, "tls_failed")
    assert b.server.asked == []


async def _speak_http2(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer every request of one HTTP/2 connection with an empty list of connections."""
    connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False))
    connection.initiate_connection()
    writer.write(connection.data_to_send())
    while data := await reader.read(65_536):
        for event in connection.receive_data(data):
            if isinstance(event, h2.events.RequestReceived):
                headers = [(":status", "200"), ("content-type", "application/json")]
                connection.send_headers(event.stream_id, headers)
                connection.send_data(event.stream_id, b'{"connections": []}', end_stream=True)
        writer.write(connection.data_to_send())
        await writer.drain()


async def test_http2_is_spoken_where_the_server_can_and_its_headers_stay_out_of_the_log(
    bench: Benches, trusted: Authority, caplog: pytest.LogCaptureFixture
) -> None:
    context = trusted.server()
    context.set_alpn_protocols(["h2"])
    for name in ("hpack.hpack", "hpack.table", "httpcore.http2", "httpx"):
        caplog.set_level(logging.DEBUG, name)
    async with bench.before(GOOD, tls=context) as b:
        b.server.speak = _speak_http2
        assert await b.provider.connections() == Fetched(())
        assert await b.provider.connections() == Fetched(())

    assert TOKEN not in caplog.text
