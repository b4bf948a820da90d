"""The recovery code: comes back as it was noted, however it is typed; a slip of one symbol is noticed."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obdesk.secrets.errors import RecoveryCodeMistyped
from obdesk.secrets.recovery import RecoveryCode

DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
codes = st.binary(min_size=16, max_size=16).map(RecoveryCode)


@given(codes)
def test_a_code_comes_back_as_it_was_shown(code: RecoveryCode) -> None:
    assert RecoveryCode.parse(code.reveal()).secret_bytes() == code.secret_bytes()


@given(codes, st.sampled_from([str.lower, lambda text: text.replace("-", ""), lambda text: f"  {text}\n"]))
def test_case_hyphens_and_spaces_do_not_matter(code: RecoveryCode, typed: type[str]) -> None:
    assert RecoveryCode.parse(typed(code.reveal())).secret_bytes() == code.secret_bytes()


def test_letters_that_look_like_digits_are_read_as_digits() -> None:
    code = RecoveryCode(bytes(16))
    assert RecoveryCode.parse(code.reveal().replace("0", "o")).secret_bytes() == bytes(16)
    one = RecoveryCode((1).to_bytes(16, "big"))
    for look in "ilIL":
        assert RecoveryCode.parse(one.reveal().replace("1", look)).secret_bytes() == one.secret_bytes()


def test_a_known_code_is_written_as_the_alphabet_says() -> None:
    assert RecoveryCode(bytes(16)).reveal() == "0000-0000-0000-0000-0000-0000-000"
    assert RecoveryCode(b"\xff" * 16).reveal() == "7ZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZZZ-ZZ*"


@given(codes, st.integers(0, 26), st.sampled_from(DIGITS))
def test_one_wrong_symbol_is_noticed(code: RecoveryCode, place: int, symbol: str) -> None:
    right = code.reveal().replace("-", "")
    wrong = right[:place] + symbol + right[place + 1 :]
    if wrong != right:
        with pytest.raises(RecoveryCodeMistyped):
            RecoveryCode.parse(wrong)


@given(codes, st.integers(0, 24))
def test_two_neighbours_swapped_are_noticed(code: RecoveryCode, place: int) -> None:
    right = code.reveal().replace("-", "")
    wrong = right[:place] + right[place + 1] + right[place] + right[place + 2 :]
    if wrong != right:
        with pytest.raises(RecoveryCodeMistyped):
            RecoveryCode.parse(wrong)


@given(st.text(max_size=40))
def test_any_other_text_is_a_typing_error(text: str) -> None:
    with pytest.raises(RecoveryCodeMistyped):
        RecoveryCode.parse(text)


def test_codes_differ_and_have_128_bits() -> None:
    assert len({RecoveryCode.new().reveal() for _ in range(50)}) == 50
    with pytest.raises(ValueError, match="128 bits"):
        RecoveryCode(bytes(15))
