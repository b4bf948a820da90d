"""An alert goes the whole way: relay, Prometheus, Alertmanager, and a receiver that holds its bearer token.

All four are real processes, configured by the examples in packaging/relay; only addresses and patience are
changed.
"""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
from contextlib import ExitStack, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING, Any

import httpx
import pytest
import yaml

from tests.e2e.processes import ended
from tests.e2e.waiting import until
from tests.relay.watching.exported import PLACE
from tests.relay.watching.running import Relay, body_of, free_port, signed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = [
    pytest.mark.long,
    pytest.mark.skipif(shutil.which("prometheus") is None, reason="Prometheus is not installed"),
    pytest.mark.skipif(
        shutil.which("prometheus-alertmanager") is None, reason="Alertmanager is not installed"
    ),
]

TOKEN = "a-token-that-lies-in-a-file"
LIVE = "pT0w9-a-live-token-of-a-person"


class Receiver:
    """A person's own service for alerts, on this machine."""

    def __init__(self) -> None:
        self.told: list[dict[str, Any]] = []
        self.raw = b""
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["Content-Length"]))
                is_known = self.headers["Authorization"] == f"Bearer {TOKEN}"
                if is_known:
                    receiver.raw += body
                    receiver.told += json.loads(body)["alerts"]
                self.send_response(204 if is_known else 401)
                self.end_headers()

            def log_message(self, *_: object) -> None:
                """Override BaseHTTPRequestHandler.log_message."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self._server.server_port}/alerts"

    @contextmanager
    def listening(self) -> Iterator[None]:
        thread = Thread(target=self._server.serve_forever)
        thread.start()
        try:
            yield
        finally:
            self._server.shutdown()
            thread.join()
            self._server.server_close()

    def wait_for(self, alert: str, status: str = "firing") -> dict[str, Any]:
        def found() -> dict[str, Any] | None:
            return next(
                (
                    each
                    for each in reversed(self.told)
                    if each["labels"]["alertname"] == alert and each["status"] == status
                ),
                None,
            )

        return until(f"{alert} to be {status}", found, within_s=60)


class Monitor:
    """Prometheus and Alertmanager over a relay, as in the examples but in a hurry."""

    def __init__(self, folder: Path, relay: Relay, receiver: Receiver) -> None:
        self._folder = folder
        self._prometheus, self._alertmanager = free_port(), free_port()
        self._configure_prometheus(relay)
        self._configure_alertmanager(receiver)

    def _configure_prometheus(self, relay: Relay) -> None:
        example = yaml.safe_load((PLACE / "prometheus" / "prometheus.yml").read_text("utf-8"))
        example["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s"}
        (alertmanagers,) = example["alerting"]["alertmanagers"]
        alertmanagers["static_configs"] = [{"targets": [f"127.0.0.1:{self._alertmanager}"]}]
        (scraped,) = example["scrape_configs"]
        scraped["static_configs"] = [{"targets": [f"127.0.0.1:{relay.port}"]}]
        rules = yaml.safe_load((PLACE / "prometheus" / "alerts.yml").read_text("utf-8"))
        for rule in rules["groups"][0]["rules"]:
            rule["for"] = "1s"
        (self._folder / "alerts.yml").write_text(yaml.safe_dump(rules))
        (self._folder / "prometheus.yml").write_text(yaml.safe_dump(example))

    def _configure_alertmanager(self, receiver: Receiver) -> None:
        example = yaml.safe_load((PLACE / "alertmanager" / "webhook.yml").read_text("utf-8"))
        example["route"] |= {"group_wait": "1s", "group_interval": "1s"}
        (webhook,) = example["receivers"][0]["webhook_configs"]
        webhook["url"] = receiver.address
        secret = self._folder / "webhook-token"
        secret.write_text(TOKEN)
        webhook["http_config"]["authorization"]["credentials_file"] = str(secret)
        (self._folder / "alertmanager.yml").write_text(yaml.safe_dump(example))

    @contextmanager
    def running(self) -> Iterator[None]:
        folder = self._folder
        commands = (
            [
                "prometheus-alertmanager",
                f"--config.file={folder / 'alertmanager.yml'}",
                f"--storage.path={folder / 'alertmanager'}",
                f"--web.listen-address=127.0.0.1:{self._alertmanager}",
                "--cluster.listen-address=",
            ],
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'prometheus'}",
                f"--web.listen-address=127.0.0.1:{self._prometheus}",
            ],
        )
        with ExitStack() as stack:
            for command in commands:
                log = stack.enter_context((folder / f"{command[0]}.log").open("wb"))
                process = stack.enter_context(subprocess.Popen(command, stdout=log, stderr=log))
                stack.enter_context(ended(process))
            yield

    def value(self, expression: str) -> float | None:
        """Return what Prometheus knows; None as long as it knows nothing."""
        try:
            answer = httpx.get(
                f"http://127.0.0.1:{self._prometheus}/api/v1/query",
                params={"query": expression},
                trust_env=False,
            )
        except httpx.HTTPError:
            return None
        found = answer.json()["data"]["result"] if answer.status_code == 200 else []
        return float(found[0]["value"][1]) if found else None


def test_an_alert_is_delivered_and_called_off(tmp_path: Path) -> None:
    relay, receiver = Relay(tmp_path), Receiver()
    monitor = Monitor(tmp_path, relay, receiver)
    with receiver.listening(), monitor.running():
        with relay.running() as process:
            path = relay.add_source()["CONNECTION_SYNCED"]
            until("the first scrape", lambda: monitor.value("obdesk_relay_bearers_total + 1"), within_s=60)

            body = body_of(700_001)
            refused = httpx.post(
                f"{relay.address}{path}",
                content=body,
                headers={"Authorization": f"Bearer {LIVE}"},
                trust_env=False,
            )
            assert refused.status_code == 401
            kept = httpx.post(
                f"{relay.address}{path}", content=body, headers=signed(path, body), trust_env=False
            )
            assert kept.status_code == 200

            alert = receiver.wait_for("ObdeskRelayBearerSeen")
            assert alert["labels"]["severity"] == "critical"
            assert "revoke the token" in alert["annotations"]["description"]
            process.send_signal(signal.SIGKILL)
            process.wait()

            down = receiver.wait_for("ObdeskRelayDown")
            assert down["labels"]["instance"] == f"127.0.0.1:{relay.port}"
        with relay.running():
            receiver.wait_for("ObdeskRelayDown", "resolved")

    capability = path.split("/")[3]
    for secret in (LIVE, capability, "6120", "700001"):
        assert secret.encode() not in receiver.raw
        assert secret not in relay.log.read_text("utf-8")
