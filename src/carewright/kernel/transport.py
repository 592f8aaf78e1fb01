"""Nothing leaves this machine in the clear: what an address of a server must say before we connect to it."""

from ipaddress import ip_address
from urllib.parse import parse_qs, urlsplit

from carewright.kernel.settings import StartFailed

PROVES_THE_SERVER = frozenset({"verify-ca", "verify-full"})
"""Weaker ones (`require`, `prefer`) encrypt for whoever answers (https://www.postgresql.org/docs/current/libpq-ssl.html)."""
TLS_VERSION = "ssl_min_protocol_version=TLSv1.3"


def encrypted(database_url: str) -> str:
    """The address of a PostgreSQL as we connect to it: TLS 1.3 unless it is on this machine. Raises `StartFailed` for one without."""
    parts = urlsplit(database_url)
    query = parse_qs(parts.query)
    hosts = [place.rpartition("@")[2] for place in parts.netloc.rpartition("@")[2].split(",")] + query.get("host", [])
    if all(is_here(_without_port(host)) for host in hosts):
        return database_url
    if query.get("sslmode", [""])[-1] not in PROVES_THE_SERVER:
        raise StartFailed("The database is on another machine, so it needs TLS: add sslmode=verify-full (and sslrootcert=FILE) to its URL.")
    if "ssl_min_protocol_version" in query:
        return database_url
    return parts._replace(query=f"{parts.query}&{TLS_VERSION}").geturl()


def ensure_encrypted_cache(valkey_url: str) -> None:
    """Raise `StartFailed` for a Valkey on another machine without TLS."""
    parts = urlsplit(valkey_url)
    if parts.scheme in ("redis", "valkey") and not is_here(_without_port(parts.netloc.rpartition("@")[2])):
        raise StartFailed("Valkey is on another machine, so it needs TLS: its URL begins with rediss://.")


def is_here(host: str) -> bool:
    """Whether a host is this machine: the loopback, a socket in the file system, or nothing said."""
    if host in ("", "localhost") or host.startswith(("/", "@")):
        return True
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False


def origin_in(address: str) -> str:
    """The origin of a whole address, as it is written there: `https://login.hospital.internal:8443`."""
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"


def _without_port(place: str) -> str:
    """The host of `host:port` or `[host]:port`."""
    if place.startswith("["):
        return place[1:].partition("]")[0]
    return place if place.count(":") > 1 or place.startswith("/") else place.partition(":")[0]
