"""The embedded servers: a real PostgreSQL and a real Valkey, as children of ours, in a data directory.

Owns: the data directory's lock, its account, ports and passwords (`place`), which installed binaries to use (`binaries`),
and the two launchers (`postgres`, `valkey`).
Invariants: one supervisor per data directory; no server runs as root; no server outlives its supervisor unnoticed.
Must never: speak SQL to a running server, or delete a database.
"""

from carewright.roles.child import StartFailed
from carewright.roles.embedded.place import EmbeddedSettings, Place
from carewright.roles.embedded.postgres import PostgresServer, start_postgres
from carewright.roles.embedded.valkey import ValkeyServer, start_valkey

__all__ = [
    "EmbeddedSettings",
    "Place",
    "PostgresServer",
    "StartFailed",
    "ValkeyServer",
    "start_postgres",
    "start_valkey",
]
