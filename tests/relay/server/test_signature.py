"""The signature as the aggregator makes it, and the date it covers."""

from __future__ import annotations

import hmac
from base64 import b64encode
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from obdesk.relay.server.signature import RETRIES_US, WINDOW_US, Age, Signer, age, instant_us, is_signed
from tests.relay.places import NOON_US

PATH, DATE = "/hooks/powens/connection-synced", "2026-02-03T04:05:06.789012Z"
BODY = b'{"id":42,"id_webhook_data":9001}'
SIGNATURE = "wHkXldXa0EMAgO/rzl57H8fM8mMWHm3gYohIVdJC5bs="


def test_the_documented_vector() -> None:
    signer = Signer(b"sim_wh_secret_7Qk")

    assert signer.sign(PATH, DATE, BODY) == SIGNATURE.encode()
    assert is_signed((signer,), PATH, DATE, SIGNATURE, BODY)
    assert is_signed((Signer(b"new"), signer), PATH, DATE, SIGNATURE, BODY)
    assert not is_signed((Signer(b"new"),), PATH, DATE, SIGNATURE, BODY)
    assert not is_signed((), PATH, DATE, SIGNATURE, BODY)


@given(secret=st.binary(max_size=200), body=st.binary(max_size=300), date=st.text(max_size=20))
def test_a_prepared_secret_signs_as_the_standard_library_does(secret: bytes, body: bytes, date: str) -> None:
    message = b".".join((b"POST", PATH.encode(), date.encode(), body))
    expected = b64encode(hmac.new(secret, message, "sha256").digest())

    assert Signer(secret).sign(PATH, date, body) == expected
    assert Signer(secret).sign(PATH, date, body) == expected, "it is good for more than once"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2026-02-03T04:05:06.789012Z", "2026-02-03T04:05:06.789012"),
        ("2026-02-03T04:05:06Z", "2026-02-03T04:05:06"),
        ("2026-02-03T04:05:06.7+00:00", "2026-02-03T04:05:06.700000"),
        ("2026-02-03 04:05:06.123456789", "2026-02-03T04:05:06.123456"),
        ("2026-02-03T04:05:06+0000", "2026-02-03T04:05:06"),
    ],
)
def test_dates_in_utc_however_written(text: str, expected: str) -> None:
    found = instant_us(text)

    assert found is not None
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=found) == datetime.fromisoformat(
        expected
    ).replace(tzinfo=UTC)


@pytest.mark.parametrize(
    "text",
    ["", "now", "2026-02-03", "2026-13-03T04:05:06Z", "2026-02-30T04:05:06Z", "2026-02-03T24:05:06Z",
     "2026-02-03T04:05:06+02:00", "2026-02-03T04:05:06Z\n", "٢026-02-03T04:05:06Z", "1770091506"],
)  # fmt: skip
def test_what_is_no_moment_in_utc_is_none(text: str) -> None:
    assert instant_us(text) is None


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2999, 1, 1)))  # noqa: DTZ001 - UTC
def test_every_moment_is_read_as_it_is_written(moment: datetime) -> None:
    written = moment.replace(tzinfo=UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ").rjust(27, "0")
    found = instant_us(written)

    assert found is not None
    assert datetime(1970, 1, 1) + timedelta(microseconds=found) == moment  # noqa: DTZ001 - as above


def test_the_window_has_two_ends() -> None:
    def at(offset_us: int) -> Age:
        return age(NOON_US + offset_us, NOON_US)

    assert [at(0), at(WINDOW_US), at(-WINDOW_US)] == [Age.NEAR] * 3
    assert [at(-WINDOW_US - 1), at(-RETRIES_US)] == [Age.LATE] * 2
    assert [at(WINDOW_US + 1), at(-RETRIES_US - 1), at(10**17)] == [Age.OUT] * 3
