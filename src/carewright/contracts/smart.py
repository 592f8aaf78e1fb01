"""SMART scopes, and what each lets a token do here (https://hl7.org/fhir/smart-app-launch/scopes-and-launch-context.html, version 2.2).

A scope is `context/Type.letters`, as in `patient/Appointment.rs` or `system/*.rs?status=booked`; version 1's spellings (`.read`, `.write`,
`.*`) are understood. A token with scopes opens FHIR's addresses and nothing else.
"""

import re
from collections.abc import Collection, Iterable, Mapping
from functools import lru_cache
from typing import Literal, get_args
from uuid import UUID

import msgspec

from carewright.contracts.permissions import ALL
from carewright.kernel.authz import Actor
from carewright.kernel.errors import Refusal

FHIR_PATH = "/fhir/R4"
"""What the FHIR base adds to the address under which we are reached; tokens are for that base."""
TOKEN_PATH, INTROSPECT_PATH, REVOKE_PATH = "/oauth/token", "/oauth/introspect", "/oauth/revoke"
AUTHORIZE_PATH, MANAGE_PATH = "/apps/authorize", "/devices"
"""What access and the portal answer of this, named where FHIR says how a token is had."""
ISSUER_PATH, KEYS_PATH = "/oauth", "/oauth/keys"
OPENID_PATH = f"{ISSUER_PATH}/.well-known/openid-configuration"
"""Who we are as a provider of OpenID Connect, and what tokens of it are checked by."""
STAFF_AUTHORIZE_PATH = "/staff/apps/authorize"
"""Where the portal sends browsers on that ask about an app which the staff started."""
LAUNCH, OFFLINE, ONLINE = "launch", "offline_access", "online_access"
OPENID, FHIR_USER = "openid", "fhirUser"
PATIENT_WORDS = frozenset({"launch/patient", OFFLINE, ONLINE, OPENID, FHIR_USER})
STAFF_WORDS = frozenset({LAUNCH, "launch/patient", ONLINE, OPENID, FHIR_USER})
APP_WORDS = PATIENT_WORDS | STAFF_WORDS
"""Scopes of apps that are no clinical ones: for whom, for how long, and who signed in. What the staff start ends with their session."""
Where = Literal["patient", "user", "system"]
WHERE: Mapping[str, Where] = {each: each for each in get_args(Where)}
CREATE, READ, UPDATE, DELETE, SEARCH = "cruds"
ANY_TYPE = "*"
FORM = re.compile(r"(patient|user|system)/([A-Z][A-Za-z]{1,60}|\*)\.(c?r?u?d?s?|read|write|\*)(?:\?([\w=&|:/.,-]{1,200}))?", re.ASCII)
SPELLINGS = {"read": "rs", "write": "cud", "*": "cruds"}
"""Version 1's words, by version 2's letters (section "Scopes for requesting FHIR Resources")."""

TABLE = """
Appointment        rs  scheduling.appointment.read scheduling.appointment.read_note scheduling.find directory.read
Appointment        c   scheduling.appointment.hold scheduling.appointment.book scheduling.find directory.read
Appointment        u   scheduling.appointment.confirm scheduling.appointment.cancel scheduling.appointment.reschedule
Appointment        u   scheduling.appointment.accept scheduling.appointment.advance scheduling.appointment.book
Appointment        u   scheduling.appointment.read scheduling.find directory.read
AppointmentResponse rs scheduling.appointment.read directory.read
AppointmentResponse c  scheduling.appointment.confirm scheduling.appointment.accept scheduling.appointment.cancel
AppointmentResponse c  scheduling.appointment.read directory.read
AuditEvent         rs
Communication      rs  notifications.communication.read
Coverage           rs  coverage.read
Coverage           c   coverage.change coverage.read patients.read directory.read
Coverage           u   coverage.change coverage.read patients.read directory.read
CoverageEligibilityRequest   rs  coverage.read
CoverageEligibilityRequest   c   coverage.check coverage.read
CoverageEligibilityResponse  rs  coverage.read
Device             rs  directory.read
Device             c   directory.change directory.read
Device             u   directory.change directory.read
Encounter          rs  flow.encounter.read directory.read
Group              rs  patients.group.read
Group              c   patients.group.change patients.group.read
Group              u   patients.group.change patients.group.read
Group              d   patients.group.change patients.group.read
HealthcareService  rs  directory.read
HealthcareService  c   directory.change directory.read
HealthcareService  u   directory.change directory.read
Location           rs  directory.read
Location           c   directory.change directory.read
Location           u   directory.change directory.read
Organization       rs  directory.read
Organization       c   directory.change directory.read
Organization       u   directory.change directory.read
Observation        rs  vitals.observation.read directory.read
Patient            rs  patients.read patients.read_contacts patients.read_identifiers
Patient            c   patients.register patients.read_contacts patients.read_identifiers
Patient            u   patients.change patients.read patients.read_contacts patients.read_identifiers
Practitioner       rs  directory.read
Practitioner       c   directory.change directory.read
Practitioner       u   directory.change directory.read
PractitionerRole   rs  directory.read
PractitionerRole   c   directory.change directory.read
PractitionerRole   u   directory.change directory.read
Provenance         rs
RelatedPerson      rs  access.consent.read
Schedule           rs  scheduling.calendar.read scheduling.find directory.read
ServiceRequest     rs  orders.request.read directory.read
ServiceRequest     c   orders.request.record orders.request.read patients.read directory.read
ServiceRequest     u   orders.request.record orders.request.read directory.read
Slot               rs  scheduling.calendar.read scheduling.find directory.read
Subscription       rs
Task               rs  orders.request.read scheduling.appointment.read directory.read
"""
"""By type and letters: permissions that a scope carries, of those that its bearer's role has. What stands in no row opens nothing, the
journal is closed to apps, and so are subscriptions: they tell what the account's role may see, whatever the scopes of a token say."""
REACHING = {
    "Appointment": "scheduling.appointment.any_patient",
    "AppointmentResponse": "scheduling.appointment.any_patient",
    "Communication": "notifications.communication.any_patient",
    "Coverage": "coverage.any_patient",
    "CoverageEligibilityRequest": "coverage.any_patient",
    "CoverageEligibilityResponse": "coverage.any_patient",
    "Encounter": "flow.encounter.any_patient",
    "Observation": "vitals.observation.any_patient",
    "Patient": "patients.find",
    "RelatedPerson": "access.consent.any_patient",
    "ServiceRequest": "orders.request.any_patient",
    "Task": "orders.request.any_patient",
}
ANYBODY = frozenset(REACHING.values())
"""What `user/` and `system/` add to the rows of these types, and `patient/` never has: to reach beyond one patient."""
EXPORT = "fhir.export"
"""What `system/` scopes to read carry besides: Bulk Data's `$export` of what they read."""
CONSTRAINTS = {"Appointment": frozenset({"status", "service-type"}), "Location": frozenset({"status", "type"})}
"""Search parameters by which a scope to read may be narrowed: those of which every resource shown is asked. Others are refused."""


class ScopeMissing(Refusal):
    """The token is good, and its scopes do not go so far (RFC 6750, section 3.1: insufficient_scope)."""

    code = "smart.scope_missing"
    status = 403
    issue = "forbidden"
    title = "The scopes of this token do not allow this."


class Scope(msgspec.Struct, frozen=True, kw_only=True):
    """One clinical scope, understood. `letters` are among `cruds`; `constraint` is what every resource shown must meet."""

    where: Where
    type: str
    letters: frozenset[str]
    constraint: tuple[tuple[str, str], ...] = ()

    def allows(self, kind: str, letter: str) -> bool:
        return self.type in (kind, ANY_TYPE) and letter in self.letters

    def covers(self, other: "Scope") -> bool:
        """Whether somebody who may have this may have the other."""
        return (
            self.where == other.where and self.type in (other.type, ANY_TYPE) and other.letters <= self.letters
            and self.constraint in ((), other.constraint)
        )  # fmt: skip


@lru_cache(maxsize=4_096)
def scope_in(text: str) -> Scope | None:
    """The clinical scope that a text is; None for one that is none, or that cannot be held to what it says."""
    found = FORM.fullmatch(text)
    if found is None or not found[3]:
        return None
    constraint = _constraint(found[4] or "")
    letters = frozenset(SPELLINGS.get(found[3], found[3]))
    scope = Scope(where=WHERE[found[1]], type=found[2], letters=letters, constraint=constraint or ())
    return scope if constraint is not None and _is_enforced(scope) else None


def scopes_in(texts: Iterable[str]) -> tuple[Scope, ...]:
    """The clinical scopes among texts; sign-in's and launches' are others."""
    return tuple(scope for text in texts if (scope := scope_in(text)))


def are_ours(texts: Collection[str]) -> bool:
    """Whether these are names of permissions: a token that has others is FHIR's alone."""
    return ALL.issuperset(texts)


def permissions_of(texts: Iterable[str]) -> frozenset[str]:
    """What scopes carry at the most: a permission carries itself, a clinical scope what the table says."""
    texts = tuple(texts)
    return ALL.intersection(texts).union(*(_carried(scope) for scope in scopes_in(texts)))


def covered(texts: Iterable[str], allowed: Collection[str]) -> bool:
    """Whether who may have `allowed` may have every one of `texts`."""
    registered = scopes_in(allowed)
    return all(text in allowed or _is_covered(scope_in(text), registered) for text in texts)


def scopes_for(actor: Actor, kind: str, letter: str) -> tuple[Scope, ...] | None:
    """The actor's scopes for one step with a type of resource; None for whoever their role alone limits. Raises `ScopeMissing`."""
    if actor.scopes is None:
        return None
    found = tuple(scope for scope in scopes_in(actor.scopes) if scope.allows(kind, letter))
    if not found:
        raise ScopeMissing
    return found


def bound_to(actor: Actor, kind: str) -> UUID | None:
    """The one patient whose resources of a type the actor may reach; None for whoever reaches everybody's, or speaks for no patient."""
    return None if actor.may(REACHING[kind]) else actor.patient_id


def may(actor: Actor, kind: str, letter: str, *, whole: bool = False) -> bool:
    """Whether the actor's scopes, if any, reach so far; `whole` asks for one without a constraint."""
    if actor.scopes is None:
        return True
    return any(scope.allows(kind, letter) and not (whole and scope.constraint) for scope in scopes_in(actor.scopes))


def _constraint(text: str) -> tuple[tuple[str, str], ...] | None:
    """The pairs of a constraint; None for one that is not plainly `name=value&name=value`."""
    pairs = [pair.partition("=") for pair in text.split("&")] if text else []
    return tuple((name, value) for name, _, value in pairs) if all(name and value for name, _, value in pairs) else None


def _is_enforced(scope: Scope) -> bool:
    """Whether we can hold a token to it. A constraint is asked of what is shown, so that it goes with reading alone."""
    if not scope.constraint:
        return True
    names = {name for name, _ in scope.constraint}
    return names <= CONSTRAINTS.get(scope.type, frozenset()) and scope.letters <= {READ, SEARCH}


def _is_covered(scope: Scope | None, registered: tuple[Scope, ...]) -> bool:
    return scope is not None and any(each.covers(scope) for each in registered)


def _carried(scope: Scope) -> frozenset[str]:
    rows = (
        permissions
        for (kind, letters), permissions in ROWS.items()
        if scope.type in (kind, ANY_TYPE) and scope.letters & frozenset(letters)
    )
    carried: frozenset[str] = frozenset().union(*rows)
    return carried if scope.where == "patient" else carried | _reach(scope)


def _reach(scope: Scope) -> frozenset[str]:
    exporting = frozenset({EXPORT}) if scope.where == "system" and READ in scope.letters else frozenset()
    return exporting.union(permission for kind, permission in REACHING.items() if scope.type in (kind, ANY_TYPE))


def _rows(text: str) -> dict[tuple[str, str], frozenset[str]]:
    """Type and letters to permissions. A name that is no permission stops the start."""
    rows: dict[tuple[str, str], frozenset[str]] = {}
    for kind, letters, *permissions in map(str.split, text.strip().splitlines()):
        if not ALL.issuperset(permissions):
            raise ValueError(f"the row of {kind} names something that is no permission")
        rows[kind, letters] = rows.get((kind, letters), frozenset()).union(permissions)
    return rows


ROWS = _rows(TABLE)
TYPES = frozenset(kind for kind, _ in ROWS)
