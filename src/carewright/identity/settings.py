"""Settings of the built-in identity provider. `carewright up` makes them for its own hospital."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class IdentitySettings:
    """`embedded` switches it on, which only `carewright up` on a loopback address should do. `issuer` is its address.

    One client may use it: `client_id`, with the secret in `client_secret_file`, at `redirect_uri`. `password_hash` (Argon2id) is that of
    every demonstration account: their names are those of the roles. Refused sign-ins stand in the audit log of `organization_id`.
    """

    embedded: bool = False
    issuer: str = ""
    client_id: str = ""
    client_secret_file: str = ""
    redirect_uri: str = ""
    password_hash: str = ""
    organization_id: UUID | None = None
