"""What an operator may set, in a file, in the environment and on the command line."""

from __future__ import annotations

from ipaddress import ip_address
from pathlib import Path

import pytest

from obdesk.relay.server.limits import Places, Rate
from obdesk.relay.server.settings import Listen, SettingsError, StoreUrl, load


def test_without_a_word_there_is_a_store_in_the_person_s_own_folder() -> None:
    found = load({}, environ={})

    assert found.store.sqlite is not None
    assert found.store.sqlite.is_relative_to(Path.home())
    assert found.key_file == found.store.sqlite.with_name("relay.sqlite.key")
    assert found.listen == Listen("127.0.0.1", 8470)
    assert found.metrics_from.hold(ip_address("127.0.0.9"))
    assert not found.metrics_from.hold(ip_address("10.0.0.1"))
    assert not found.has_broker


def test_a_service_manager_gives_the_folder(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STATE_DIRECTORY", "/var/lib/obdesk-relay:/other")
    assert load({}, environ={}).store.sqlite == Path("/var/lib/obdesk-relay/relay.sqlite")


def test_the_command_line_goes_before_the_environment_and_that_before_the_file(tmp_path: Path) -> None:
    file = tmp_path / "relay.toml"
    file.write_text(
        'store = "sqlite:////srv-data/file.sqlite"\nlisten = "[::1]:1"\nworkers = 1\nbody_s = 2.5\n'
        'deliveries = "7/9"\nmetrics_from = ["10.0.0.0/8", "unix"]\n'
    )
    around = {"OBDESK_RELAY_CONFIG": str(file), "OBDESK_RELAY_LISTEN": "0.0.0.0:2", "PATH": "x"}
    found = load({"listen": "h:3", "workers": None}, environ=around)

    assert found.store == StoreUrl(Path("/srv-data/file.sqlite"))
    assert found.listen == Listen("h", 3)
    assert (found.body_s, found.deliveries) == (2.5, Rate(7, 9))
    assert found.metrics_from.hold(None)
    assert load({}, environ=around).listen == Listen("0.0.0.0", 2)  # noqa: S104 - it is what was asked for
    assert load({}, config=file, environ={}).listen == Listen("::1", 1)


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("store", "postgres://x", "sqlite:///PATH or redis://"),
        ("store", "sqlite:///", "sqlite:///PATH"),
        ("listen", "8470", "HOST:PORT"),
        ("listen", "a:70000", "HOST:PORT"),
        ("workers", "0", "above 0"),
        ("workers", "1.5", "whole number"),
        ("workers", "many", "number"),
        ("body_s", "inf", "above 0"),
        ("public_url", "relay.example", "https://"),
        ("public_url", "http://relay.example", "https://"),
        ("public_url", "https://relay.example/x", "must not have a path"),
        ("public_url", "https://relay.example?x", "such as"),
        ("public_url", "https://me@relay.example", "such as"),
        ("public_url", "https://relay.example:x", "such as"),
        ("api_url", "http://acme.example/2.0", "https://"),
        ("trusted_proxies", "10.0.0.0/33", "networks such as"),
        ("deliveries", "5", "rate such as"),
        ("deliveries", "0/5", "above 0"),
        ("log_level", "loud", "warning"),
        ("client_id", " ", "text"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_used_is_named_with_what_is_wrong(
    name: str, value: str, sentence: str
) -> None:
    variable = f"OBDESK_RELAY_{name.upper()}"
    with pytest.raises(SettingsError, match=variable) as raised:
        load({}, environ={variable: value})
    assert sentence in str(raised.value)
    assert str(raised.value).endswith(".")


def test_what_is_not_known_is_refused_wherever_it_stands(tmp_path: Path) -> None:
    file = tmp_path / "relay.toml"
    file.write_text("lissten = 1\n")
    with pytest.raises(SettingsError, match="lissten"):
        load({}, config=file, environ={})
    with pytest.raises(SettingsError, match="OBDESK_RELAY_LISSTEN"):
        load({}, environ={"OBDESK_RELAY_LISSTEN": "x"})
    file.write_text("store = [")
    with pytest.raises(SettingsError, match="is not TOML"):
        load({}, config=file, environ={})
    with pytest.raises(SettingsError, match="cannot be read"):
        load({}, config=tmp_path / "absent", environ={})
    file.write_text("workers = true\nmetrics_from = [1]\n")
    with pytest.raises(SettingsError):
        load({}, config=file, environ={})


@pytest.mark.parametrize(
    ("flags", "sentence"),
    [
        ({"workers": "2"}, "workers must be 1"),
        ({"store": "redis://localhost"}, "key_file must be given"),
        ({"client_id": "1"}, "go together"),
        ({"client_id": "1", "client_secret_file": "x"}, "give api_url"),
    ],
)
def test_settings_that_do_not_fit_together_are_refused(flags: dict[str, str], sentence: str) -> None:
    with pytest.raises(SettingsError, match=sentence):
        load(flags, environ={})


def test_redis_takes_many_workers_and_a_broker_its_secret() -> None:
    found = load(
        {
            "store": "redis://localhost:6379/0",
            "key_file": "k",
            "workers": "4",
            "api_url": "https://acme.example/2.0/",
            "client_id": "1",
            "client_secret_file": "s",
        },
        environ={},
    )
    assert (found.store.redis, found.workers, found.has_broker) == ("redis://localhost:6379/0", 4, True)
    assert found.api_url == "https://acme.example/2.0"


def test_places_are_networks_and_the_socket_file() -> None:
    places = Places.parse(["10.1.2.3", "2001:db8::/32", " unix "])

    assert places.hold(ip_address("10.1.2.3"))
    assert not places.hold(ip_address("10.1.2.4"))
    assert places.hold(ip_address("2001:db8::1"))
    assert places.hold(None)
    assert not Places().hold(None)
