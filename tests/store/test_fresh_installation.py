"""Nobody can sign in where nobody was let in yet."""

import asyncpg

from carewright.access.settings import AccessSettings
from carewright.identity.settings import IdentitySettings
from carewright.portal.settings import PortalSettings
from carewright.roles.embedded import PostgresServer
from tests.servers import address_of, run_sql

WAYS_IN = ("account", "client", "session", "passkey")


async def test_a_fresh_installation_knows_no_account_that_works(postgres: PostgresServer, template: str) -> None:
    """No way in has a row, no identity provider is trusted, ours is off, and the pages belong to no hospital."""
    await run_sql(postgres.dsn, f"CREATE DATABASE fresh TEMPLATE {template}")
    connection = await asyncpg.connect(address_of(postgres, "fresh"))
    try:
        counts = {name: await connection.fetchval(f"SELECT count(*) FROM access.{name}") for name in WAYS_IN}  # noqa: S608  (names of ours)
        logins = {
            row["rolname"]
            for row in await connection.fetch("SELECT rolname FROM pg_roles WHERE rolname LIKE 'carewright\\_%' AND rolcanlogin")
        }
    finally:
        await connection.close()
        await run_sql(postgres.dsn, "DROP DATABASE fresh")
    assert counts == dict.fromkeys(WAYS_IN, 0)
    assert logins == set(), "modules' database roles are taken on, never signed in to"
    assert not IdentitySettings().embedded
    assert AccessSettings().oidc_issuer == ""
    assert PortalSettings().organization_id is None
