"""Sealed fields open at their own place alone; blind indexes find without telling."""

from collections import Counter
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from prometheus_client import REGISTRY

from carewright.kernel.clock import SystemClock
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.privacy.aead import aead_of, new_index_key, new_key
from carewright.kernel.privacy.aws import parts_of
from carewright.kernel.privacy.cipher import HEADER_BYTES, FieldCipher, SealedElsewhere
from carewright.kernel.privacy.index import PrefixIndex
from carewright.kernel.privacy.kek import FileKey, KeyPlace, WrongKey, file_key
from carewright.kernel.privacy.services import key_service
from carewright.kernel.privacy.settings import PrivacySettings
from carewright.kernel.settings import StartFailed
from tests.samples import known_id

HERE, ROW = known_id(1), known_id(2)
KEYS = {1: aead_of(new_key()), 2: aead_of(new_key())}
ARN, NAME = "arn:aws:kms:us-east-1:111122223333:key/1", "projects/p/locations/us-east1/keyRings/r/cryptoKeys/k"
INDEX_KEY = new_index_key()
CIPHER = FieldCipher(HERE, KEYS, 2, INDEX_KEY)
PLACE = ("exam.person", "name", ROW)
NAMES = PrefixIndex("exam.person", "name", ((2, 8), (3, 4), (4, 2)))


def refused() -> float:
    return REGISTRY.get_sample_value("carewright_sealed_refused_total") or 0.0


def test_what_is_sealed_opens_at_its_place_and_is_never_the_same_twice() -> None:
    sealed, again = CIPHER.seal(*PLACE, b"Anna"), CIPHER.seal(*PLACE, b"Anna")
    assert CIPHER.open_(*PLACE, sealed) == CIPHER.open_(*PLACE, again) == b"Anna"
    assert sealed != again
    assert b"Anna" not in sealed


@pytest.mark.parametrize(
    ("organization_id", "table", "column", "row"),
    [
        (known_id(9), *PLACE),
        (HERE, "exam.other", "name", ROW),
        (HERE, "exam.person", "contact", ROW),
        (HERE, "exam.person", "name", known_id(3)),
        (HERE, "exam", "person\0name", ROW),
    ],
)
def test_a_ciphertext_that_was_moved_is_refused_and_counted(organization_id: UUID, table: str, column: str, row: UUID) -> None:
    sealed = CIPHER.seal(*PLACE, b"Anna")
    before = refused()
    with pytest.raises(SealedElsewhere) as moved:
        FieldCipher(organization_id, KEYS, 2, INDEX_KEY).open_(table, column, row, sealed)
    assert moved.value.code == "kernel.sealed_elsewhere"
    assert "Anna" not in f"{moved.value.detail}{moved.value.facts}"
    assert refused() == before + 1


@pytest.mark.parametrize("at", range(0, 32, 3))
def test_a_changed_byte_is_refused(at: int) -> None:
    sealed = bytearray(CIPHER.seal(*PLACE, b"Anna"))
    sealed[at] ^= 1
    with pytest.raises(SealedElsewhere):
        CIPHER.open_(*PLACE, bytes(sealed))


@pytest.mark.parametrize("given", [b"", b"\1", b"\1\0\2", b"Anna", b"\2\0\2" + b"x" * 40, b"\1\0\3" + b"x" * 40])
def test_what_was_never_sealed_is_refused(given: bytes) -> None:
    with pytest.raises(SealedElsewhere):
        CIPHER.open_(*PLACE, given)


def test_an_older_version_still_opens_and_shows_in_the_header() -> None:
    older = FieldCipher(HERE, KEYS, 1, INDEX_KEY).seal(*PLACE, b"Anna")
    assert CIPHER.open_(*PLACE, older) == b"Anna"
    assert older[:HEADER_BYTES] != CIPHER.header == CIPHER.seal(*PLACE, b"Anna")[:HEADER_BYTES]


def test_keyed_hashes_differ_by_column_and_organization_and_stay_when_the_field_key_rotates() -> None:
    other = FieldCipher(HERE, KEYS, 2, new_index_key())
    rotated = FieldCipher(HERE, KEYS, 1, INDEX_KEY)
    marks = {
        CIPHER.mark("exam.person", "name", b"Anna"),
        CIPHER.mark("exam.person", "mrn", b"Anna"),
        other.mark("exam.person", "name", b"Anna"),
    }
    assert len(marks) == 3
    assert all(len(mark) == 32 for mark in marks)
    assert rotated.mark("exam.person", "name", b"Anna") in marks


def test_a_blind_index_is_shared_by_about_as_many_values_as_its_bits_say() -> None:
    """Balls into bins: 16,384 values on 10 bits are 16 a number; a number with none or with 60 would be one chance in millions."""
    numbers = Counter(CIPHER.blind("exam.person", "born", f"value {number}", bits=10) for number in range(16_384))
    assert len(numbers) == 1024
    assert max(numbers.values()) < 60
    assert max(numbers) < 1024


@pytest.mark.parametrize("prefix", ["li", "lin", "lind", "linde", "lindner"])
def test_whatever_begins_so_lies_in_the_range(prefix: str) -> None:
    first, last = NAMES.range(CIPHER, prefix)
    for rest in ("", "a", "dner", "s berg"):
        assert first <= NAMES.number(CIPHER, prefix + rest) <= last
    assert 0 <= first <= last < 1 << NAMES.bits


def test_a_longer_beginning_is_a_narrower_range() -> None:
    widths = [last - first + 1 for first, last in (NAMES.range(CIPHER, prefix) for prefix in ("l", "li", "lin", "lind", "lindn"))]
    assert widths == [2**14, 2**6, 2**2, 1, 1]


async def test_a_wrapped_key_opens_for_what_it_was_wrapped_for_and_by_its_own_key_file() -> None:
    ours, other = FileKey(new_key()), FileKey(new_key())
    here = KeyPlace(HERE, "field", 1)
    wrapped = await ours.wrap(b"key", here)
    assert await ours.unwrap(wrapped, here) == b"key"
    assert ours.id != other.id
    for service, place in (
        (ours, KeyPlace(HERE, "field", 2)),
        (ours, KeyPlace(HERE, "index", 1)),
        (ours, KeyPlace(ROW, "field", 1)),
        (other, here),
    ):
        with pytest.raises(WrongKey):
            await service.unwrap(wrapped, place)


def test_a_missing_or_damaged_key_file_stops_the_start_with_one_line(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("keys")
    (folder / "damaged.key").write_bytes(b"not a key")
    for name, says in (("none.key", "cannot be read"), ("damaged.key", "is no key file")):
        with pytest.raises(StartFailed, match=says) as stopped:
            file_key(folder / name)
        assert "docs/runbooks/key-missing.md" in stopped.value.detail


@pytest.mark.parametrize(
    ("settings", "says"),
    [
        ({"key_service": "transit"}, "TRANSIT_URL"),
        ({"key_service": "transit", "transit_url": "http://bao.example.org:8200", "transit_token_file": "t"}, "must begin with https"),
        ({"key_service": "transit", "transit_url": "ftp://127.0.0.1", "transit_token_file": "t"}, "is no origin"),
        ({"key_service": "aws-kms"}, "is no ARN"),
        ({"key_service": "aws-kms", "kms_key": "arn:aws:kms:us-east-1:1:key/x"}, "is no ARN"),
        ({"key_service": "aws-kms", "kms_key": "arn:aws:s3:us-east-1:111122223333:key/x"}, "is no ARN"),
        ({"key_service": "aws-kms", "kms_key": ARN, "kms_url": "http://kms.example.org"}, "KMS_URL must begin with https"),
        ({"key_service": "aws-kms", "kms_key": ARN, "kms_credentials_url": "http://sts.example.org"}, "KMS_CREDENTIALS_URL must begin"),
        ({"key_service": "gcp-kms", "kms_key": "projects/p/locations/l/keyRings/r"}, "is no key's name"),
        ({"key_service": "gcp-kms", "kms_key": f"{NAME}/cryptoKeyVersions/1"}, "is no key's name"),
        ({"key_service": "gcp-kms", "kms_key": NAME, "kms_url": "http://kms.example.org"}, "KMS_URL must begin with https"),
    ],
)
def test_a_key_service_that_is_not_fully_said_stops_the_start(settings: dict[str, Any], says: str) -> None:
    with pytest.raises(StartFailed, match=says):
        key_service(PrivacySettings(**settings), Path("none.key"), SystemClock(), Outgoing().reaching, {})


@pytest.mark.parametrize(
    ("arn", "where"),
    [
        (ARN, ("us-east-1", "amazonaws.com")),
        ("arn:aws-us-gov:kms:us-gov-west-1:111122223333:alias/a/b", ("us-gov-west-1", "amazonaws.com")),
        ("arn:aws-cn:kms:cn-north-1:111122223333:key/mrk-1", ("cn-north-1", "amazonaws.com.cn")),
    ],
)
def test_a_keys_arn_says_where_it_is(arn: str, where: tuple[str, str]) -> None:
    assert parts_of(arn) == where
