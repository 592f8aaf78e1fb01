"""Apps that ask to see a patient's record, as the patient reads it: what each scope means in words."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec

from carewright.contracts import smart
from carewright.contracts.apps import AppAsked, AppLetIn
from carewright.portal.model.wall import Wall, full_date, near_date

WHAT = {
    "*": "everything in your record that apps can reach",
    "Appointment": "your appointments",
    "AppointmentResponse": "what was answered to your appointments",
    "AuditEvent": "who looked at your record",
    "Communication": "our messages to you",
    "Coverage": "your insurance",
    "CoverageEligibilityRequest": "what we asked your insurance",
    "CoverageEligibilityResponse": "what your insurance answered",
    "Device": "our devices",
    "Encounter": "your visits to us",
    "Group": "lists of patients",
    "HealthcareService": "our services",
    "Location": "our places",
    "Observation": "what was measured",
    "Organization": "our organization",
    "Patient": "your name, birth date and contacts",
    "Practitioner": "our practitioners",
    "PractitionerRole": "what our practitioners do",
    "Provenance": "who changed your record",
    "RelatedPerson": "who may act for you",
    "Schedule": "our calendars",
    "ServiceRequest": "your referrals",
    "Slot": "our free times",
    "Subscription": "who is told of changes",
    "Task": "what is to be done for you",
}
"""What a type of FHIR is to a patient. A test asks for every type that a scope may name."""
VERBS = {"rs": "see", "c": "add to", "u": "change", "d": "take from"}
WORDS = {
    smart.OPENID: "Know that it is you who signs in",
    smart.FHIR_USER: "Know which record here is yours",
    smart.OFFLINE: "Keep this up for a year, until you turn it off here",
    smart.ONLINE: "Keep this up for as long as you are signed in here",
}


class Pending(msgspec.Struct, frozen=True, kw_only=True):
    """What an app asks, kept by the browser while its owner signs in. `mark` is on the page, so that no other app's answer is given."""

    mark: UUID
    app: AppAsked
    state: str


@dataclass(frozen=True, slots=True)
class ScopeView:
    """One line to tick: `name` of the field, and what it means."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class AppView:
    """An app that was let in. `whose` is empty for one's own record."""

    id: UUID
    name: str
    may: tuple[str, ...]
    since: str
    until: str
    whose: str


def scope_views(scopes: Iterable[str]) -> list[ScopeView]:
    """What may be ticked, clinical scopes first; `launch/patient` is what the whole page is about."""
    shown = [(number, text) for number, scope in enumerate(scopes) if (text := words_of(scope))]
    return [ScopeView(f"scope-{number}", text) for number, text in shown]


def ticked(scopes: tuple[str, ...], form: Mapping[str, str]) -> tuple[str, ...]:
    """The scopes whose boxes are ticked, and those that have none."""
    return tuple(scope for number, scope in enumerate(scopes) if f"scope-{number}" in form or not words_of(scope))


def says_something(scopes: Iterable[str]) -> bool:
    """Whether a clinical scope is among them: without one an app can do nothing."""
    return any(smart.scope_in(scope) for scope in scopes)


def words_of(text: str) -> str:
    """A scope as a sentence; empty for one that says nothing by itself."""
    scope = smart.scope_in(text)
    if scope is None:
        return WORDS.get(text, "")
    verbs = [verb for letters, verb in VERBS.items() if scope.letters & set(letters)]
    only = ", ".join(f"{name} {value}" for name, value in scope.constraint)
    said = f"{_joined(verbs)} {WHAT.get(scope.type, scope.type)}" + (f" (only {only})" if only else "")
    return said[0].upper() + said[1:]


def app_view(one: AppLetIn, wall: Wall, now: datetime) -> AppView:
    return AppView(
        one.id, one.name, tuple(text for scope in one.scopes if (text := words_of(scope))),
        near_date(wall.day(one.granted_at), wall.day(now), wall.locale), full_date(wall.day(one.ends_at), wall.locale),
        "" if one.own else "It sees the record of somebody for whom you act",
    )  # fmt: skip


def _joined(verbs: list[str]) -> str:
    return " and ".join([", ".join(verbs[:-1]), verbs[-1]] if len(verbs) > 1 else verbs)
