"""Every error speaks to a person, everything public is described, and nothing heavy is imported early."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

import obdesk.secrets
from obdesk.domain.errors import Action
from obdesk.secrets import errors, keyfile_errors
from obdesk.secrets.errors import KeyringProblem, VaultProblem
from obdesk.secrets.private_files import Unsafe

if TYPE_CHECKING:
    from types import ModuleType

MODULES = [
    importlib.import_module(f"obdesk.secrets.{found.name}")
    for found in pkgutil.iter_modules(obdesk.secrets.__path__)
]
SAMPLES: dict[str, object] = {
    "backend_id": "keyring.backends.SecretService.Keyring",
    "way_out": Action.USE_RECOVERY_CODE,
    "kind": "DBusErrorResponse",
    "length_max": 1000,
    "length_min": 8,
    "memory_mib": 256,
    "previous_usable": True,
    "reason": "No space left on device",
}
ERRORS = sorted(
    (
        found
        for module in (errors, keyfile_errors)
        for found in vars(module).values()
        if inspect.isclass(found)
        and issubclass(found, VaultProblem)
        and found not in {VaultProblem, KeyringProblem}
        and found.__module__ == module.__name__
    ),
    key=lambda found: found.__name__,
)


def build(error: type[VaultProblem], why: Unsafe) -> VaultProblem:
    wanted = [name for name in inspect.signature(error).parameters if name != "self"]
    return error(**{name: why if name == "why" else SAMPLES[name] for name in wanted})  # type: ignore[arg-type]


@pytest.mark.parametrize("why", Unsafe)
@pytest.mark.parametrize("error", ERRORS)
def test_an_error_says_what_happened_what_now_and_one_way_on(error: type[VaultProblem], why: Unsafe) -> None:
    problem = build(error, why)
    assert problem.title
    assert not problem.title.endswith(".")
    for sentence in (problem.cause, problem.next_step):
        assert sentence.endswith(".")
        assert sentence[0].isupper()
        assert "{" not in sentence
    assert problem.action is not Action.NONE


def test_there_are_errors_to_look_at() -> None:
    assert len(ERRORS) >= 25


@pytest.mark.parametrize("module", MODULES, ids=lambda module: module.__name__)
def test_everything_public_is_described(module: ModuleType) -> None:
    assert module.__doc__
    for name, found in vars(module).items():
        if name.startswith("_") or getattr(found, "__module__", None) != module.__name__:
            continue
        if inspect.isclass(found):
            assert found.__doc__, name
            for method_name, method in vars(found).items():
                if inspect.isfunction(method) and not method_name.startswith("_"):
                    assert method.__doc__, f"{name}.{method_name}"
        elif inspect.isfunction(found):
            assert found.__doc__, name


def test_importing_the_vault_loads_neither_keyring_nor_ciphers() -> None:
    heavy = {"keyring", "secretstorage", "jeepney", "cryptography", "argon2", "ctypes"}
    program = f"import sys, obdesk.secrets.vault\nprint(sorted({heavy} & set(sys.modules)))"
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert answer.stdout == "[]\n"
