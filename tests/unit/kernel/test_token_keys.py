"""Token keys: one takes over from another without anybody being turned away, or at once when it must."""

from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from carewright.kernel.authz import Actor, Tokens
from carewright.kernel.clock import ManualClock
from carewright.kernel.errors import Unauthenticated
from carewright.kernel.sealed import Sealer
from carewright.kernel.settings import StartFailed
from carewright.kernel.token_keys import LIFETIME_MAX, TokenKeys, keys_in, rotated
from tests.samples import known_id

FIRST = b"0123456789abcdef0123456789abcdef"
DELAY = timedelta(seconds=5)
ROLES = {"desk": frozenset({"read"})}
ANNA = Actor(subject="anna", organization_id=known_id(1), role="desk")


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(datetime(2026, 11, 22, 12, tzinfo=UTC))


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "token.key"
    path.write_bytes(FIRST)
    return path


def rotate(file: Path, clock: ManualClock, *, revoke: bool = False) -> None:
    content = rotated(keys_in(file.read_bytes()), clock.now(), DELAY, revoke=revoke)
    fresh = file.with_suffix(".new")
    fresh.write_bytes(content)
    fresh.replace(file)


def process(file: Path, clock: ManualClock) -> Tokens:
    return Tokens(TokenKeys.of_file(file), clock, ROLES)


def test_a_new_key_waits_and_then_signs(file: Path, clock: ManualClock) -> None:
    old, keys = keys_in(FIRST)[0].id, TokenKeys.of_file(file)
    rotate(file, clock)
    keys.look()
    assert keys.signing(clock.now())[0] == old
    clock.instant += DELAY
    assert keys.signing(clock.now())[0] == keys.keys[0].id != old


def test_what_the_old_key_signed_is_good_until_the_last_of_it_has_run_out(file: Path, clock: ManualClock) -> None:
    tokens = process(file, clock)
    rotate(file, clock)
    clock.instant += DELAY - timedelta(seconds=1)
    last = tokens.issue(ANNA, LIFETIME_MAX)
    for _ in range(23):
        clock.instant += timedelta(hours=1)
        assert process(file, clock).read(last).subject == "anna"
    clock.instant += timedelta(hours=1, seconds=1)
    assert TokenKeys.of_file(file).verifying(keys_in(FIRST)[0].id, clock.now()) is None


def test_a_process_that_has_not_looked_yet_does_when_it_meets_a_key_it_does_not_know(file: Path, clock: ManualClock) -> None:
    early, late = process(file, clock), process(file, clock)
    rotate(file, clock, revoke=True)
    early._keys.look()
    assert late.read(early.issue(ANNA, DELAY)).subject == "anna"


def test_a_revoked_key_opens_nothing_any_more_not_even_what_was_read_before(file: Path, clock: ManualClock) -> None:
    tokens = process(file, clock)
    token, sealed = tokens.issue(ANNA, LIFETIME_MAX), Sealer(tokens._keys, clock).seal("try", b"x")
    assert tokens.read(token).subject == "anna"
    rotate(file, clock, revoke=True)
    tokens._keys.look()
    with pytest.raises(Unauthenticated):
        tokens.read(token)
    assert Sealer(tokens._keys, clock).open("try", sealed) is None


def test_what_was_sealed_before_a_rotation_still_opens(file: Path, clock: ManualClock) -> None:
    keys = TokenKeys.of_file(file)
    sealed = Sealer(keys, clock).seal("try", b"x")
    rotate(file, clock)
    keys.look()
    clock.instant += DELAY
    assert Sealer(keys, clock).open("try", sealed) == b"x"
    assert len(keys.secrets(clock.now())) == 2


def test_rotating_again_keeps_what_still_verifies_and_drops_the_rest(file: Path, clock: ManualClock) -> None:
    rotate(file, clock)
    rotate(file, clock)
    assert len(keys_in(file.read_bytes())) == 3
    clock.instant += LIFETIME_MAX + DELAY
    rotate(file, clock)
    assert len(keys_in(file.read_bytes())) == 2


@pytest.mark.parametrize("content", [b'{"keys": [', b'{"keys": []}', b"", b"short"])
def test_a_file_that_holds_no_keys_stops_the_start_and_changes_nothing_later(file: Path, clock: ManualClock, content: bytes) -> None:
    tokens = process(file, clock)
    token = tokens.issue(ANNA, DELAY)
    file.write_bytes(content)
    tokens._keys.look()
    assert tokens.read(token).subject == "anna"
    with pytest.raises(StartFailed) as refused:
        TokenKeys.of_file(file)
    assert "token key" in refused.value.detail
