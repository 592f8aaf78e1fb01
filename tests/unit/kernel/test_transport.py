"""What leaves this machine is encrypted, or nothing starts."""

import pytest

from carewright.kernel.settings import StartFailed
from carewright.kernel.transport import encrypted, ensure_encrypted_cache

HERE = [
    "postgresql://u:p@localhost/db", "postgresql://u:p@127.0.0.1:5432/db", "postgresql://u:p@[::1]:5432/db",
    "postgresql:///db?host=/var/run/postgresql", "postgresql://u@/db?host=/run/a", "postgresql:///db", "postgresql://127.0.0.1,localhost/db",
]  # fmt: skip
ELSEWHERE = [
    "postgresql://u:p@db.example:5432/db", "postgresql://u:p@10.0.0.5/db", "postgresql://u:p@[2001:db8::1]:5432/db",
    "postgresql://u:p@127.0.0.1,10.0.0.5/db", "postgresql:///db?host=db.example", "postgresql://u@127.0.0.1/db?host=10.0.0.5",
    "postgresql://127.0.0.1@db.example/db", "postgresql://u:p@127.0.0.1.example/db",
]  # fmt: skip


@pytest.mark.parametrize("url", HERE)
def test_on_this_machine_nothing_is_asked_for(url: str) -> None:
    assert encrypted(url) == url


@pytest.mark.parametrize("url", ELSEWHERE)
@pytest.mark.parametrize(
    "mode", ["", "sslmode=disable", "sslmode=allow", "sslmode=prefer", "sslmode=require", "sslmode=verify-full&sslmode=disable"]
)
def test_a_database_elsewhere_that_does_not_prove_itself_stops_the_start(url: str, mode: str) -> None:
    with pytest.raises(StartFailed, match="sslmode=verify-full"):
        encrypted(f"{url}{'&' if '?' in url else '?'}{mode}")


def test_a_database_elsewhere_is_spoken_to_in_tls_1_3() -> None:
    url = "postgresql://u:p@db.example/db?sslmode=verify-full"
    assert encrypted(url) == f"{url}&ssl_min_protocol_version=TLSv1.3"
    assert encrypted(f"{url}&ssl_min_protocol_version=TLSv1.2").endswith("TLSv1.2"), "an old server may be named as such"


@pytest.mark.parametrize("url", ["redis://:p@cache.example:6379/0", "valkey://10.0.0.5/0"])
def test_a_cache_elsewhere_needs_tls(url: str) -> None:
    with pytest.raises(StartFailed, match="rediss://"):
        ensure_encrypted_cache(url)


@pytest.mark.parametrize(
    "url", ["rediss://cache.example/0", "redis://127.0.0.1:6379/0", "redis://:p@localhost/0", "unix:///run/valkey.sock?db=0"]
)
def test_a_cache_here_or_with_tls_needs_nothing_more(url: str) -> None:
    ensure_encrypted_cache(url)
