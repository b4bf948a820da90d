"""The key file's format: what is written comes back, and nothing else does."""

from __future__ import annotations

import hashlib
import json
import secrets
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obdesk.secrets.kdf import FLOOR_COST
from obdesk.secrets.keyfile import (
    FILE_SIZE_MAX,
    DerivedSlot,
    KeyFile,
    KeyringSlot,
    SlotKind,
    WrongSecretError,
    data_key_id,
    decode_key_file,
    derived_slot,
    encode_key_file,
    open_derived_slot,
    seal,
    unseal,
)
from obdesk.secrets.keyfile_errors import KeyFileDamaged, KeyFileNewer

SAMPLE = Path(__file__).parent / "data" / "format-1.key"
PROFILE = "5f" * 16
DATA_KEY = bytes(range(32))
OTHER_KEY = bytes(range(32, 64))
WRAPPING_KEY = b"\x07" * 32


def keyring_slot(data_key: bytes = DATA_KEY) -> KeyringSlot:
    slot = KeyringSlot(
        slot_id="a1" * 16,
        key_id=data_key_id(data_key),
        backend="keyring.backends.SecretService.Keyring",
        service="obdesk",
        account=f"{PROFILE}/data-key-{'a1' * 16}",
    )
    return seal(PROFILE, slot, data_key, WRAPPING_KEY)


def passphrase_slot(data_key: bytes = DATA_KEY) -> DerivedSlot:
    return derived_slot(PROFILE, SlotKind.PASSPHRASE, data_key, b"correct horse", FLOOR_COST)


FILE = KeyFile(
    profile_id=PROFILE, current=data_key_id(DATA_KEY), pending=None, slots=(keyring_slot(), passphrase_slot())
)
CONTENT = encode_key_file(FILE)


def forged(change: Any) -> bytes:
    """Change the body and make the checksum fit, as somebody who means harm would."""
    body = json.loads(CONTENT.split(b"\n")[1])
    change(body)
    text = json.dumps(body, sort_keys=True, separators=(",", ":")).encode()
    return b"obdesk-key-file " + hashlib.sha256(text).hexdigest().encode() + b"\n" + text + b"\n"


def test_the_file_comes_back_and_is_always_written_the_same_way() -> None:
    assert decode_key_file(CONTENT) == FILE
    assert encode_key_file(decode_key_file(CONTENT)) == CONTENT
    assert len(CONTENT) < FILE_SIZE_MAX / 4


def test_a_file_of_the_first_version_still_opens() -> None:
    """Never write the sample anew: it stands for the files that people have."""
    file = decode_key_file(SAMPLE.read_bytes())
    opened = [unseal(file.profile_id, file.slots[0], WRAPPING_KEY)]
    for slot, secret in zip(file.slots[1:], (b"correct horse", bytes(16)), strict=True):
        assert isinstance(slot, DerivedSlot)
        opened.append(open_derived_slot(file.profile_id, slot, secret))
    assert opened == [DATA_KEY] * 3
    assert [slot.kind for slot in file.slots] == list(SlotKind)


@given(place=st.integers(0, len(CONTENT) - 1), flip=st.integers(1, 255))
def test_any_changed_byte_is_noticed(place: int, flip: int) -> None:
    changed = bytearray(CONTENT)
    changed[place] ^= flip
    with pytest.raises(KeyFileDamaged):
        decode_key_file(bytes(changed))


def test_a_damaged_format_number_is_not_taken_for_a_newer_version() -> None:
    with pytest.raises(KeyFileDamaged):
        decode_key_file(CONTENT.replace(b'"format":1', b'"format":9'))


@given(st.binary(max_size=400))
def test_other_bytes_are_damage(content: bytes) -> None:
    with pytest.raises(KeyFileDamaged):
        decode_key_file(content)


@given(length=st.integers(0, len(CONTENT) - 1))
def test_a_truncated_file_is_damage(length: int) -> None:
    with pytest.raises(KeyFileDamaged):
        decode_key_file(CONTENT[:length])


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=10) | st.floats(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(
    field=st.sampled_from(["current", "pending", "profile", "slots", "format", "extra"]), value=json_values
)
def test_a_forged_field_with_a_fitting_checksum_gives_no_other_key(field: str, value: Any) -> None:
    content = forged(lambda body: body.update({field: value}))
    try:
        file = decode_key_file(content)
    except (KeyFileDamaged, KeyFileNewer):
        return
    if file.profile_id == PROFILE:
        assert set(file.slots) <= set(FILE.slots)
    else:
        with pytest.raises(WrongSecretError):
            unseal(file.profile_id, file.slots[0], WRAPPING_KEY)


@given(
    field=st.sampled_from(["kind", "slot", "key", "nonce", "box", "backend", "service", "account", "extra"]),
    value=json_values,
)
def test_a_forged_slot_with_a_fitting_checksum_gives_no_other_key(field: str, value: Any) -> None:
    content = forged(lambda body: body["slots"][0].update({field: value}))
    try:
        slot = decode_key_file(content).slots[0]
    except KeyFileDamaged:
        return
    if slot != FILE.slots[0]:
        with pytest.raises(WrongSecretError):
            unseal(PROFILE, slot, WRAPPING_KEY)


def test_deeply_nested_json_is_damage() -> None:
    body = b"[" * 8000
    content = b"obdesk-key-file " + hashlib.sha256(body).hexdigest().encode() + b"\n" + body + b"\n"
    with pytest.raises(KeyFileDamaged):
        decode_key_file(content)


def test_a_later_format_is_told_apart_from_damage() -> None:
    with pytest.raises(KeyFileNewer):
        decode_key_file(forged(lambda body: body.update(format=2, novelty=True)))


@pytest.mark.parametrize(
    "cost",
    [
        {"memory_kib": 19 * 1024 - 1},
        {"memory_kib": 1 << 30},
        {"passes": 1},
        {"passes": 1000},
        {"lanes": 0},
        {"lanes": True},
    ],
)
def test_a_cost_below_the_floor_or_absurd_is_damage(cost: dict[str, int]) -> None:
    with pytest.raises(KeyFileDamaged):
        decode_key_file(forged(lambda body: body["slots"][1].update(cost)))


def test_a_slot_opens_with_its_own_secret_only() -> None:
    assert unseal(PROFILE, keyring_slot(), WRAPPING_KEY) == DATA_KEY
    assert open_derived_slot(PROFILE, passphrase_slot(), b"correct horse") == DATA_KEY
    with pytest.raises(WrongSecretError):
        unseal(PROFILE, keyring_slot(), secrets.token_bytes(32))
    with pytest.raises(WrongSecretError):
        open_derived_slot(PROFILE, passphrase_slot(), b"correct horsf")


def test_a_slot_of_another_profile_does_not_open() -> None:
    with pytest.raises(WrongSecretError):
        unseal("00" * 16, keyring_slot(), WRAPPING_KEY)


def test_wraps_of_two_keys_live_side_by_side_while_one_is_pending() -> None:
    file = KeyFile(
        profile_id=PROFILE,
        current=data_key_id(DATA_KEY),
        pending=data_key_id(OTHER_KEY),
        slots=(keyring_slot(OTHER_KEY), keyring_slot(DATA_KEY)),
    )
    again = decode_key_file(encode_key_file(file))
    assert again == file
    current = again.slot(SlotKind.KEYRING)
    assert current is not None
    assert unseal(PROFILE, current, WRAPPING_KEY) == DATA_KEY
    assert unseal(PROFILE, again.slots[0], WRAPPING_KEY) == OTHER_KEY


def test_two_wraps_of_one_key_share_nothing_but_its_id() -> None:
    first, second = passphrase_slot(), passphrase_slot()
    assert first.key_id == second.key_id == data_key_id(DATA_KEY)
    assert first.salt != second.salt
    assert first.sealed.nonce != second.sealed.nonce
    assert first.sealed.box != second.sealed.box


def test_the_file_holds_no_secret_in_any_spelling() -> None:
    for secret in (DATA_KEY, WRAPPING_KEY, b"correct horse"):
        assert secret not in CONTENT
        assert secret.hex().encode() not in CONTENT
