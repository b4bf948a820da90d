"""The examples for nginx and Caddy, run for real: what is signed arrives to the letter, no log has it."""

from __future__ import annotations

import os
import shutil
import ssl
import subprocess
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import httpx
import msgspec
import pytest
from nacl.public import PrivateKey

from obdesk.relay.protocol import WAIT_MAX_S, Page, Paired, from_text, opened, to_text
from tests.e2e.processes import ended
from tests.e2e.waiting import until
from tests.providers.authorities import Authority
from tests.relay.watching.exported import PLACE
from tests.relay.watching.running import Relay, body_of, free_port, signed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.long

NAME = "relay.example.org"
MIB = 2**20
CERTIFICATE = f"/etc/letsencrypt/live/{NAME}/fullchain.pem"
PRIVATE_KEY = f"/etc/letsencrypt/live/{NAME}/privkey.pem"


def _replaced(text: str, *changes: tuple[str, str]) -> str:
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new)
    return text


class Proxy:
    """One of the examples in front of a port of this machine."""

    def __init__(self, kind: str, folder: Path, upstream: int) -> None:
        self.folder = folder / kind
        self.folder.mkdir()
        self._authority = Authority(self.folder, "authority")
        self._authority.server()
        self._certificate = self.folder / "server-1.pem"
        self._port = free_port()
        self._command = getattr(self, f"_{kind}")(upstream)

    def _nginx(self, upstream: int) -> list[str]:
        example = (PLACE / "proxy" / "nginx.conf").read_text("utf-8")
        site = _replaced(
            example,
            ("127.0.0.1:8470", f"127.0.0.1:{upstream}"),
            ("    listen [::]:443 ssl http2;\n", ""),
            ("listen 443 ", f"listen 127.0.0.1:{self._port} "),
            (CERTIFICATE, str(self._certificate)),
            (PRIVATE_KEY, str(self._certificate)),
            ("/var/log/nginx/obdesk-relay.log", str(self.folder / "access.log")),
        )
        (self.folder / "site.conf").write_text(site)
        temporary = "".join(
            f"{kind}_temp_path {self.folder}/{kind};\n"
            for kind in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
        )
        (self.folder / "nginx.conf").write_text(
            f"{'user root;' if os.geteuid() == 0 else ''}\ndaemon off;\nworker_processes 1;\n"
            f"pid {self.folder}/pid;\nerror_log {self.folder}/error.log info;\n"
            f"events {{}}\nhttp {{\naccess_log {self.folder}/other.log;\n{temporary}"
            f"include {self.folder}/site.conf;\n}}\n"
        )
        command = ["nginx", "-p", str(self.folder), "-c", str(self.folder / "nginx.conf")]
        subprocess.run([*command, "-t"], check=True, capture_output=True)
        return command

    def _caddy(self, upstream: int) -> list[str]:
        example = (PLACE / "proxy" / "Caddyfile").read_text("utf-8")
        site = _replaced(
            example,
            ("{\n\tlog default", "{\n\tadmin off\n\tauto_https disable_redirects\n\tlog default"),
            (
                f"{NAME} {{\n",
                f"https://127.0.0.1:{self._port} {{\n\ttls {self._certificate} {self._certificate}\n",
            ),
            ("127.0.0.1:8470", f"127.0.0.1:{upstream}"),
        )
        (self.folder / "Caddyfile").write_text(site)
        return ["caddy", "run", "--config", str(self.folder / "Caddyfile"), "--adapter", "caddyfile"]

    @contextmanager
    def running(self) -> Iterator[httpx.Client]:
        """Run it while the block runs and yield who asks over TLS."""
        context = ssl.create_default_context(cafile=self._authority.path)
        with (
            (self.folder / "said.log").open("wb") as said,
            subprocess.Popen(
                self._command, stdout=said, stderr=said, env={**os.environ, "HOME": str(self.folder)}
            ) as process,
            ended(process),
            httpx.Client(
                base_url=f"https://127.0.0.1:{self._port}", verify=context, trust_env=False, timeout=60
            ) as client,
        ):

            def answers() -> bool:
                assert process.poll() is None, self.logged()
                try:
                    return client.get("/healthz").status_code > 0
                except httpx.HTTPError:
                    return False

            until("the proxy to answer", answers)
            yield client

    def logged(self) -> str:
        """Return all that it wrote anywhere."""
        logs = [path for path in self.folder.rglob("*") if path.suffix == ".log"]
        assert logs
        return "\n".join(path.read_text("utf-8", errors="replace") for path in logs)


@pytest.fixture(params=["nginx", "caddy"])
def kind(request: pytest.FixtureRequest) -> str:
    name: str = request.param
    if shutil.which(name) is None:
        pytest.skip(f"{name} is not installed")
    return name


@contextmanager
def _recorder() -> Iterator[tuple[int, list[tuple[str, dict[str, str]]]]]:
    """Listen in a relay's place and note what arrives."""
    arrived: list[tuple[str, dict[str, str]]] = []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_GET(self) -> None:
            arrived.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_: object) -> None:
            """Override BaseHTTPRequestHandler.log_message."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.server_port, arrived
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_path_arrives_to_the_letter_and_the_client_is_who_it_is(kind: str, tmp_path: Path) -> None:
    strange = "/v1/hooks/Zk3-_x//..%2F/CONNECTION_SYNCED"
    with _recorder() as (port, arrived), Proxy(kind, tmp_path, port).running() as client:
        claims = {"X-Forwarded-For": "198.51.100.7", "Forwarded": "for=198.51.100.7"}
        assert client.get(httpx.URL(client.base_url, raw_path=strange.encode()), headers=claims).is_success

    path, headers = arrived[-1]
    assert path == strange
    assert headers["x-forwarded-for"] == "127.0.0.1"
    assert headers["x-forwarded-proto"] == "https"


def test_deliveries_pulls_and_waits_pass_and_no_secret_is_logged(kind: str, tmp_path: Path) -> None:
    relay = Relay(tmp_path, {"TRUSTED_PROXIES": "127.0.0.1/32"})
    proxy = Proxy(kind, tmp_path, relay.port)
    with proxy.running() as client:
        with relay.running(), ThreadPoolExecutor() as aside:
            path = relay.add_source()["CONNECTION_SYNCED"]
            private = PrivateKey.generate()
            (code,) = relay.operate("pair", "--source", "home")
            told = {"publicKey": to_text(bytes(private.public_key)), "code": code}
            paired = msgspec.json.decode(client.post("/v1/devices", json=told).content, type=Paired)
            token = {"Authorization": f"Bearer {paired.token}"}

            large = body_of(700_001, filler="x" * (15 * MIB))
            assert client.post(path, content=large, headers=signed(path, large)).status_code == 200
            page = _pulled(client, token, paired.cursor, 0)
            (hint,) = [opened(bytes(private), from_text(each.sealed)) for each in page.entries]
            assert (hint.event, hint.connection) == ("CONNECTION_SYNCED", "311")

            waiting = aside.submit(_pulled, client, token, page.cursor, WAIT_MAX_S)
            assert client.get("/metrics").status_code == 404
            too_large = b"x" * (17 * MIB)
            answer = client.post(path, content=too_large, headers=signed(path, too_large))
            assert answer.status_code == 413
            assert waiting.result().cursor == page.cursor
        down = body_of(700_002)
        assert client.post(path, content=down, headers=signed(path, down)).status_code == 502

    for secret in (path.split("/")[3], "CONNECTION_SYNCED", paired.token, code, "127.0.0.1:4"):
        assert secret not in proxy.logged()
    assert not [found for found in proxy.folder.rglob("*") if found.is_file() and found.stat().st_size > MIB]


def _pulled(client: httpx.Client, token: dict[str, str], after: str, wait: int) -> Page:
    answer = client.get("/v1/mailbox/events", params={"after": after, "wait": wait}, headers=token)
    assert answer.status_code == 200, answer.text
    return msgspec.json.decode(answer.content, type=Page)
