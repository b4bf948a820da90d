"""The description holds: whatever is asked, in whatever order, is answered as it says, and never by an error.

It takes minutes: `pytest -m long tests/relay/server/test_schema.py`.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from obdesk.simulator.options import Options
from obdesk.simulator.server import Simulator, running
from tests.relay.server import schema_hooks
from tests.relay.server.served import add_source, serving, surroundings

if TYPE_CHECKING:
    from collections.abc import Iterator

EXAMPLES = os.environ.get("OBDESK_EXAMPLES", "300")
CHECKS = (
    "not_a_server_error,status_code_conformance,content_type_conformance,response_headers_conformance,"
    "response_schema_conformance"
)
WIDE = "\n".join(
    f'{name} = "100000/1000000"'
    for name in ("deliveries", "device", "address", "failures", "pairings", "users")
)


@pytest.fixture
def broker(tmp_path: Path) -> Iterator[Path]:
    """Give the settings of a relay that makes users, at an aggregator that is there."""
    with running(Simulator(options=Options(history_days=30))) as bank:
        secret, config = tmp_path / "secret", tmp_path / "relay.toml"
        secret.write_text(bank.client_secret)
        config.write_text(
            f'{WIDE}\napi_url = "{bank.api_url}"\nclient_id = "{bank.client_id}"\n'
            f'client_secret_file = "{secret}"\n'
        )
        yield config


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_whatever_is_asked_in_whatever_order_is_answered_as_described(broker: Path, tmp_path: Path) -> None:
    store, reached = f"sqlite:///{tmp_path / 'relay.sqlite'}", tmp_path / "reached.json"
    paths = add_source(store)
    add_source(store, "crowd", "--shared")
    with serving(store, tmp_path, "--config", str(broker)) as served:
        around = {
            "SCHEMATHESIS_HOOKS": "tests.relay.server.schema_hooks",
            schema_hooks.STORE: store,
            schema_hooks.CAPABILITY: paths["USER_CREATED"].split("/")[3],
            schema_hooks.REACHED: str(reached),
        }
        command = [
            str(Path(sys.executable).with_name("schemathesis")), "run", f"{served.where}/openapi.json",
            "--checks", CHECKS, "--max-examples", EXAMPLES, "--no-color", "--seed", "7",
            "--suppress-health-check", "all", "--warnings", "off",
        ]  # fmt: skip
        ended = subprocess.run(
            command, env=surroundings(**around), cwd=tmp_path, capture_output=True, text=True, check=False
        )

    assert ended.returncode == 0, f"{ended.stdout[-6_000:]}{ended.stderr[-2_000:]}"
    assert "Stateful" in ended.stdout
    assert set(json.loads(reached.read_text())) >= {
        "POST /v1/hooks/{capability}/{event} 200",
        "POST /v1/hooks/{capability}/{event} 401",
        "POST /v1/hooks/{capability}/{event} 404",
        "POST /v1/devices 200",
        "POST /v1/devices 400",
        "POST /v1/devices 403",
        "GET /v1/mailbox/events 200",
        "GET /v1/mailbox/events 400",
        "POST /v1/mailbox/ack 204",
        "POST /v1/mailbox/ack 400",
        "DELETE /v1/devices/me 204",
        "POST /v1/users 200",
        "POST /v1/users 404",
    }
