"""The environment is made once, whole or not at all, and every failure has a way out."""

from __future__ import annotations

import shutil
import subprocess
import sys
import threading
from pathlib import Path
from typing import NamedTuple

import pytest
from bootstrapper import environment, install, pip_source, report, system
from bootstrapper.environment import Extent

from tests.arch.tree import ROOT
from tests.packaging.problems import has_three_parts


class Usage(NamedTuple):
    """What shutil.disk_usage answers."""

    total: int
    used: int
    free: int


@pytest.fixture
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Make environments in a folder of the test."""
    monkeypatch.setenv("OBDESK_ENVIRONMENTS", str(tmp_path / "environments"))
    return tmp_path / "environments"


@pytest.fixture
def installs(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Note what would be downloaded instead of downloading it; no pip is put in either, to save time."""
    asked: list[str] = []
    monkeypatch.setattr(environment, "install", lambda _pip, locked: asked.append(locked.name))
    monkeypatch.setattr(pip_source, "has_ensurepip", lambda: False)
    monkeypatch.setattr(pip_source, "obtain", lambda _: ("pip",))
    return asked


@pytest.mark.parametrize(
    ("output", "title"),
    [
        ("OSError: [Errno 28] No space left on device", "not enough disk space"),
        (
            "Retrying ... NewConnectionError(...)\nERROR: No matching distribution found for x",
            "no connection",
        ),
        (
            "Temporary failure in name resolution\nERROR: Could not find a version that satisfies x",
            "no connection",
        ),
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.",
            "not the one that was locked",
        ),
        ("ERROR: No matching distribution found for PySide6==6.11.3", "not available for this machine"),
        ("[Errno 30] Read-only file system: '/x'", "could not be written"),
        ("Segmentation fault", "could not be installed"),
    ],
)
def test_each_failure_of_pip_becomes_a_sentence_and_a_way_out(output: str, title: str) -> None:
    problem = install.explain(output)

    assert title in problem.title
    assert has_three_parts(str(problem))


def test_settings_that_would_send_packages_elsewhere_are_withheld_from_pip() -> None:
    kept = install.pip_environment(
        {"PIP_TARGET": "/x", "PYTHONPATH": "/y", "PIP_INDEX_URL": "mine", "PATH": "/bin"}
    )

    assert kept == {"PIP_INDEX_URL": "mine", "PATH": "/bin"}


def test_a_failed_installation_is_reported_with_what_pip_said(tmp_path: Path) -> None:
    locked = tmp_path / "requirements.txt"
    locked.write_text("no-such-package==1 --hash=sha256:00\n", "utf-8")
    pip = (
        sys.executable,
        "-c",
        "import sys; print('Collecting no-such-package'); print('No space left on device'); sys.exit(1)",
    )

    with pytest.raises(report.Problem, match="disk space"):
        install.install(pip, locked)


def test_a_full_disk_is_noticed_before_anything_is_made(
    elsewhere: Path, installs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 0, 10**8))

    with pytest.raises(report.Problem, match="disk space") as caught:
        environment.ensure(Extent.RUN)

    assert "100 MB" in caught.value.cause
    assert installs == []
    assert not list(elsewhere.glob("cp3*"))


def test_a_place_that_cannot_be_written_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setenv("OBDESK_ENVIRONMENTS", str(tmp_path / "file" / "below"))

    with pytest.raises(report.Problem) as caught:
        environment.ensure(Extent.RUN)

    assert has_three_parts(str(caught.value))
    assert "OBDESK_ENVIRONMENTS" in caught.value.remedy


def test_an_environment_is_made_once_and_completed_for_the_tests(
    elsewhere: Path, installs: list[str]
) -> None:
    python = environment.ensure(Extent.RUN)
    assert environment.ensure(Extent.RUN) == python
    assert installs == ["requirements.txt"]

    assert environment.ensure(Extent.TEST) == python
    environment.ensure(Extent.TEST)
    environment.ensure(Extent.RUN)

    assert installs == ["requirements.txt", "requirements-test.txt"]
    found = subprocess.run(
        [str(python), "-P", "-c", "import obdesk; print(obdesk.__file__)"],
        cwd="/",
        env={"PATH": ""},
        capture_output=True,
        text=True,
        check=True,
    )
    assert Path(found.stdout.strip()).parents[1] == ROOT
    assert python.is_relative_to(elsewhere)


def test_a_relay_has_an_environment_of_its_own(elsewhere: Path, installs: list[str]) -> None:
    desk = environment.ensure(Extent.RUN)
    relay = environment.ensure(Extent.RELAY)

    assert environment.ensure(Extent.RELAY) == relay != desk
    assert environment.ensure(Extent.RUN) == desk
    assert installs == ["requirements.txt", "requirements-relay.txt"]
    assert sorted(path.name.partition("-")[0] for path in elsewhere.iterdir() if path.is_dir()) == [
        f"cp{sys.version_info.major}{sys.version_info.minor}",
        "relay",
    ]


def test_a_relay_fits_on_a_small_server(
    elsewhere: Path, installs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: Usage(10**9, 0, 3 * 10**8))

    environment.ensure(Extent.RELAY)

    assert installs == ["requirements-relay.txt"]
    assert list(elsewhere.glob("relay-*"))


@pytest.mark.usefixtures("elsewhere")
def test_an_interrupted_installation_is_made_again(
    installs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(_pip: object, _lock: object) -> None:
        raise KeyboardInterrupt

    with monkeypatch.context() as broken:
        broken.setattr(environment, "install", interrupted)
        with pytest.raises(KeyboardInterrupt):
            environment.ensure(Extent.RUN)
    debris = environment.folder(Extent.RUN) / "half-written"
    debris.touch()

    environment.ensure(Extent.RUN)

    assert installs == ["requirements.txt"]
    assert not debris.exists()


def test_a_changed_lock_makes_a_new_environment_and_removes_the_old(
    elsewhere: Path, installs: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    old = environment.ensure(Extent.RUN)
    monkeypatch.setattr(environment, "_RECIPE", -1)

    new = environment.ensure(Extent.RUN)

    assert new != old
    assert len(installs) == 2
    assert len(list(elsewhere.glob("cp3*"))) == 1


@pytest.mark.usefixtures("elsewhere", "installs")
def test_two_bootstraps_at_once_install_once(monkeypatch: pytest.MonkeyPatch) -> None:
    inside, go_on = threading.Event(), threading.Event()
    installed: list[str] = []

    def slowly(_pip: object, locked: Path) -> None:
        installed.append(locked.name)
        inside.set()
        assert go_on.wait(60)

    monkeypatch.setattr(environment, "install", slowly)
    threads = [threading.Thread(target=environment.ensure, args=(Extent.RUN,)) for _ in range(2)]
    threads[0].start()
    assert inside.wait(60)
    threads[1].start()
    go_on.set()
    for thread in threads:
        thread.join()

    assert installed == ["requirements.txt"]


@pytest.mark.usefixtures("elsewhere")
def test_a_python_without_ensurepip_uses_a_pip_from_outside(monkeypatch: pytest.MonkeyPatch) -> None:
    used: list[tuple[str, ...]] = []
    monkeypatch.setattr(pip_source, "has_ensurepip", lambda: False)
    monkeypatch.setattr(environment, "install", lambda pip, _: used.append(tuple(pip)))

    environment.ensure(Extent.RUN)

    done = subprocess.run([*used[0], "--version"], capture_output=True, text=True, check=True)
    assert done.stdout.startswith("pip ")


@pytest.mark.usefixtures("elsewhere")
def test_a_whole_python_gets_a_pip_of_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    if not pip_source.has_ensurepip():
        pytest.skip("this Python has no ensurepip")
    used: list[tuple[str, ...]] = []
    monkeypatch.setattr(environment, "install", lambda pip, _: used.append(tuple(pip)))

    python = environment.ensure(Extent.RUN)

    assert used == [(str(python), "-m", "pip")]
    assert pip_source.works(used[0])


def test_where_no_pip_can_be_had_the_line_to_run_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pip_source, "outside_pip", lambda _: None)
    monkeypatch.setattr(system, "may_install", lambda: False)

    with pytest.raises(report.Problem) as caught:
        pip_source.obtain(Path(sys.executable))

    assert f"apt-get install python3.{sys.version_info.minor}-venv" in caught.value.remedy
