"""Access's settings: defaults, limits and units."""

from dataclasses import dataclass
from uuid import UUID


@dataclass(frozen=True, slots=True, kw_only=True)
class AccessSettings:
    """How long sessions last, how many somebody may have at once, when guessing is told of, and where staff sign in.

    A screen or a kiosk stays signed in for `station_days_max`, and for `station_idle_days` of being switched off.

    At every `wrong_codes_alarm` wrong codes in a row an incident is opened; at 100 the account is locked.

    `public_url` is the address under which browsers and clients reach us: redirects and audiences begin with it, and passkeys belong to it,
    unless patients' pages have an origin of their own: `passkey_origin`. Staff sign in at `oidc_issuer` into `organization_id`. The client
    proves itself with `oidc_client_secret_file`, or with the private key (JWK) in `oidc_private_key_file`. `oidc_role_claim` names the
    claim with a person's roles (dots lead inward: `realm_access.roles`); `oidc_roles` says what they mean here:
    `nurses=nurse,doctors=physician`, the first that fits counts. `oidc_practitioner_claim` names the claim with the id of their entry
    in our directory, where there is one: apps that they start are told it, and it says whose calendar is their own.
    """

    staff_idle_minutes: int = 15
    staff_hours_max: int = 10
    patient_idle_minutes: int = 30
    patient_hours_max: int = 12
    station_idle_days: int = 30
    station_days_max: int = 365
    sessions_max: int = 8
    step_up_minutes: int = 5
    wrong_codes_alarm: int = 10
    public_url: str = ""
    passkey_origin: str = ""
    organization_id: UUID | None = None
    oidc_issuer: str = ""
    oidc_client_id: str = ""
    oidc_client_secret_file: str = ""
    oidc_private_key_file: str = ""
    oidc_scopes: str = "openid profile"
    oidc_role_claim: str = "roles"
    oidc_roles: str = ""
    oidc_site_claim: str = ""
    oidc_practitioner_claim: str = ""
