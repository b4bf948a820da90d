"""What an operator installs: the unit, the image, the compose file and the proxies, as far as files can tell.

No image can be built where tests run, so the Containerfile is read closely here, and followed by hand in
test_image.py; the proxies are run for real in test_proxies.py.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from tests.arch.tree import ROOT
from tests.relay.watching.exported import PLACE, tool

if TYPE_CHECKING:
    from pathlib import Path

UNIT = PLACE / "systemd" / "obdesk-relay.service"
EXPOSURE_MAX = 15
"""Tenths of the points that systemd-analyze gives; what is left is the network, which is the relay's work."""


def _instructions() -> list[tuple[str, str]]:
    """Return the Containerfile's instructions with their arguments, continued lines joined."""
    text = (PLACE / "Containerfile").read_text("utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("#")]
    found = [line.strip().split(maxsplit=1) for line in lines]
    return [(name, " ".join(rest.split())) for name, rest in found]


def _final_stage() -> list[tuple[str, str]]:
    found = _instructions()
    last = max(number for number, (name, _) in enumerate(found) if name == "FROM")
    return found[last:]


def _compose() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((PLACE / "compose.yaml").read_text("utf-8"))
    return found


def _unit(text: str) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for name, value in re.findall(r"^(\w+)=(.*)$", text, re.MULTILINE):
        found.setdefault(name, []).append(value)
    return found


class TestUnit:
    def test_systemd_reads_the_unit_and_what_can_be_added_to_it(self, tmp_path: Path) -> None:
        unit = tmp_path / UNIT.name
        # What it starts is installed where it runs, not where it is tested.
        unit.write_text(UNIT.read_text("utf-8").replace("/opt/obdesk-relay/bin/obdesk", sys.executable))
        drop_ins = tmp_path / f"{UNIT.name}.d"
        drop_ins.mkdir()
        for path in (PLACE / "systemd").glob("*.conf"):
            shutil.copy(path, drop_ins)
        assert len(list(drop_ins.iterdir())) == 2

        assert tool("systemd-analyze", "verify", "--man=no", unit, package="systemd") == ""

    def test_systemd_finds_the_unit_well_confined(self) -> None:
        tool(
            "systemd-analyze",
            "security",
            "--offline=true",
            f"--threshold={EXPOSURE_MAX}",
            UNIT,
            package="systemd",
        )

    def test_the_key_is_handed_over_and_what_fails_is_started_again(self) -> None:
        unit = _unit(UNIT.read_text("utf-8"))

        assert unit["LoadCredential"] == ["key:/etc/obdesk-relay/key"]
        assert "OBDESK_RELAY_KEY_FILE=%d/key" in unit["Environment"]
        assert unit["Restart"] == ["on-failure"]
        assert unit["ProtectSystem"] == ["strict"]
        assert unit["NoNewPrivileges"] == unit["MemoryDenyWriteExecute"] == ["yes"]
        assert set(unit["RestrictAddressFamilies"][0].split()) == {"AF_INET", "AF_INET6", "AF_UNIX"}

    def test_an_operators_commands_run_as_the_same_user_with_the_same_key(self) -> None:
        script = (PLACE / "systemd" / "obdesk-relay-do").read_text("utf-8")
        unit = _unit(UNIT.read_text("utf-8"))

        assert subprocess.run(["sh", "-n"], input=script, text=True, check=False).returncode == 0
        for name in ("User", "Group", "UMask", "StateDirectory", "LoadCredential", "ProtectSystem"):
            assert f"--property={name}={unit[name][0]}" in script
        (command,) = unit["ExecStart"]
        program, configuration = command.split()[0], command.split("--config ")[1]
        assert f"exec {program} relay" in script
        assert f"--config {configuration}" in script


class TestImage:
    def test_it_runs_as_nobody_in_particular(self) -> None:
        users = [rest for name, rest in _final_stage() if name == "USER"]

        assert len(users) == 1
        assert re.fullmatch(r"[1-9]\d{3,}:[1-9]\d{3,}", users[0])

    def test_it_is_slim_and_both_stages_have_the_same_python(self) -> None:
        bases = [rest.split()[0] for name, rest in _instructions() if name == "FROM"]

        assert bases == ["python:${PYTHON}-slim"] * 2

    def test_it_installs_the_relays_lock_by_hash_and_nothing_else(self) -> None:
        runs = [rest for name, rest in _instructions() if name == "RUN"]
        installing = [run for run in runs if "install " in run and "pip" in run]

        assert len(installing) == 1
        assert "--require-hashes --only-binary=:all:" in installing[0]
        assert "-r /build/requirements-relay.txt" in installing[0]
        assert not any(re.search(r"\b(apt|apk|curl|wget)\b", run) for run in runs)
        assert "ADD" not in {name for name, _ in _instructions()}

    def test_it_holds_nothing_of_the_window(self) -> None:
        sources = [
            source
            for name, rest in _instructions()
            if name == "COPY" and not rest.startswith("--from")
            for source in rest.split()[:-1]
        ]

        assert [source for source in sources if not (ROOT / source).exists()] == []
        assert "obdesk/relay" in sources
        assert not {"obdesk", ".", "obdesk/gui", "obdesk/simulator", "resources"} & set(sources)

    def test_it_says_whether_it_is_well_and_takes_signals_itself(self) -> None:
        final = dict(_final_stage())

        assert "/readyz" in final["HEALTHCHECK"]
        assert final["ENTRYPOINT"].startswith("[")
        assert final["CMD"] == '["serve"]'
        assert "sqlite:////data/" in final["ENV"]
        assert final["VOLUME"] == "/data"

    def test_no_secret_is_baked_in(self) -> None:
        text = (PLACE / "Containerfile").read_text("utf-8")

        assert not re.search(r"(?i)\b(ARG|ENV)\b[^\n]*(secret|key|token|password)", text)


class TestCompose:
    def test_redis_loses_nothing_it_said_yes_to(self) -> None:
        command = _compose()["services"]["redis"]["command"]

        assert command[0] == "redis-server"
        options = dict(zip(command[1::2], command[2::2], strict=True))
        assert options["--appendonly"] == "yes"
        assert options["--appendfsync"] == "always"
        assert options["--maxmemory-policy"] == "noeviction"

    def test_redis_is_reached_by_the_relay_alone_and_keeps_its_data(self) -> None:
        found = _compose()
        redis = found["services"]["redis"]

        assert "ports" not in redis
        assert redis["networks"] == ["store"]
        assert found["networks"]["store"]["internal"] is True
        assert redis["volumes"] == ["redis:/data"]
        assert "redis" in found["volumes"]

    def test_what_the_relay_has_seen_of_redis_outlives_the_container(self) -> None:
        found = _compose()
        assert found["services"]["relay"]["volumes"] == ["relay:/data"]
        assert "relay" in found["volumes"]

    def test_the_relay_waits_for_redis_and_is_heard_by_this_machine_only(self) -> None:
        found = _compose()
        relay = found["services"]["relay"]

        assert "healthcheck" in found["services"]["redis"]
        assert relay["depends_on"]["redis"]["condition"] == "service_healthy"
        assert [port for port in relay["ports"] if not port.startswith("127.0.0.1:")] == []
        gateway = found["networks"]["edge"]["ipam"]["config"][0]["gateway"]
        assert relay["environment"]["OBDESK_RELAY_TRUSTED_PROXIES"] == f"{gateway}/32"

    @pytest.mark.parametrize("name", ["redis", "relay"])
    def test_what_runs_can_do_little(self, name: str) -> None:
        service = _compose()["services"][name]

        assert service["read_only"] is True
        assert service["cap_drop"] == ["ALL"]
        assert service["security_opt"] == ["no-new-privileges:true"]
        assert service["restart"] == "unless-stopped"

    def test_the_key_is_a_secret_and_no_variable(self) -> None:
        found = _compose()
        environment = found["services"]["relay"]["environment"]

        assert environment["OBDESK_RELAY_KEY_FILE"] == "/run/secrets/relay-key"
        assert found["services"]["relay"]["secrets"] == ["relay-key"]
        assert found["secrets"]["relay-key"] == {"file": "./secrets/relay-key"}


def test_caddy_reads_its_example_and_would_write_it_so() -> None:
    example = PLACE / "proxy" / "Caddyfile"

    tool("caddy", "validate", "--config", example, "--adapter", "caddyfile", package="caddy")
    assert tool("caddy", "fmt", example, package="caddy") == example.read_text("utf-8")
