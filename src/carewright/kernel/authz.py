"""Who is asking, and what they may do: the actor behind every request, and the signed token that names one."""

from datetime import timedelta
from uuid import UUID

import msgspec
from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import OctKey

from carewright.kernel.clock import Clock
from carewright.kernel.errors import Forbidden, Unauthenticated

ALGORITHM = "HS256"
ISSUER = "carewright"
CACHE_ENTRIES_MAX = 10_000


class Actor(msgspec.Struct, frozen=True, kw_only=True):
    """A signed-in subject within one organization.

    `permissions` come from the role at the moment the token is read, so a changed table acts at once.
    `patient_id` is set when the subject is a patient: their own record and nobody else's.
    """

    subject: str
    organization_id: UUID
    role: str
    permissions: frozenset[str] = frozenset()
    patient_id: UUID | None = None
    site_ids: frozenset[UUID] = frozenset()
    purpose: str = "TREAT"

    def may(self, permission: str) -> bool:
        return permission in self.permissions

    def require(self, permission: str) -> None:
        """Raise `Forbidden` unless this actor's role carries `permission`."""
        if permission not in self.permissions:
            raise Forbidden(permission=permission)


class Claims(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a token says. Times are seconds since the epoch, as RFC 7519 has them."""

    iss: str
    sub: str
    org: UUID
    role: str
    iat: int
    exp: int
    patient: UUID | None = None
    sites: tuple[UUID, ...] = ()


class Tokens:
    """Signs and reads bearer tokens (JWT, HS256). `roles` maps a role to its permissions."""

    def __init__(self, key: bytes, clock: Clock, roles: dict[str, frozenset[str]]) -> None:
        self._key = OctKey.import_key(key)
        self._clock = clock
        self._roles = roles
        self._read: dict[str, tuple[int, Actor]] = {}

    def issue(self, actor: Actor, lifetime: timedelta) -> str:
        """A token that speaks for `actor` until `lifetime` has passed."""
        now = int(self._clock.now().timestamp())
        claims = Claims(
            iss=ISSUER, sub=actor.subject, org=actor.organization_id, role=actor.role, iat=now,
            exp=now + int(lifetime.total_seconds()), patient=actor.patient_id, sites=tuple(actor.site_ids),
        )  # fmt: skip
        return jwt.encode({"alg": ALGORITHM}, msgspec.to_builtins(claims), self._key)

    def read(self, token: str) -> Actor:
        """The actor of a valid token. Raises `Unauthenticated` for anything else, without saying why it failed."""
        now = self._clock.now()
        known = self._read.get(token)
        if known is None:
            known = self._verify(token)
            if len(self._read) >= CACHE_ENTRIES_MAX:
                self._read.clear()
            self._read[token] = known
        if known[0] <= now.timestamp():
            self._read.pop(token, None)
            raise Unauthenticated("Your sign-in has expired. Please sign in again.")
        return known[1]

    def actor(self, role: str, subject: str, organization_id: UUID, patient_id: UUID | None = None) -> Actor:
        """An actor with the permissions of `role`; an unknown role has none."""
        return Actor(
            subject=subject, organization_id=organization_id, role=role, patient_id=patient_id,
            permissions=self._roles.get(role, frozenset()),
        )  # fmt: skip

    def _verify(self, token: str) -> tuple[int, Actor]:
        try:
            claims = msgspec.convert(jwt.decode(token, self._key, algorithms=[ALGORITHM]).claims, Claims)
        except (JoseError, ValueError, TypeError, msgspec.ValidationError) as fault:
            raise Unauthenticated from fault
        if claims.iss != ISSUER or claims.role not in self._roles:
            raise Unauthenticated
        actor = self.actor(claims.role, claims.sub, claims.org, claims.patient)
        return claims.exp, msgspec.structs.replace(actor, site_ids=frozenset(claims.sites))
