"""Signing in by a code: what a person types, what of it is understood, and what their browser keeps for us meanwhile. Pure rules."""

import re
from collections.abc import Mapping
from datetime import date, datetime, timedelta
from uuid import UUID

import msgspec

from carewright.contracts.patients import ContactPoint, Patient

CODE_DIGITS = 8
CODE_LIFETIME = timedelta(minutes=10)
TRIES_MAX = 5
SEND_AGAIN_AFTER = timedelta(seconds=30)
SENDS_MAX = 5
EARLIEST_YEAR = 1880
EMAIL = re.compile(r"[^@\s]{1,64}@[^@\s.]+(\.[^@\s.]+)+")
PHONE = re.compile(r"\+?[0-9]{5,15}((x|ext\.?)[0-9]{1,6})?")
BETWEEN_DIGITS = re.compile(r"[\s()./\-]")
CONTACT_LENGTH_MAX = 200


class SignInTry(msgspec.Struct, frozen=True, kw_only=True):
    """Kept sealed in the browser while somebody signs in. It is the same whether or not anybody is known by this contact.

    `binding` is the browser's secret: the code works with it alone. `tries` and `sends` only decide what is said; what is allowed is
    decided where the codes are kept.
    """

    code_id: UUID
    binding: str
    contact: ContactPoint
    birth_on: date
    next: str
    sent_at: datetime
    sends: int = 1
    tries: int = 0

    def has_run_out(self, now: datetime) -> bool:
        return now >= self.sent_at + CODE_LIFETIME

    @property
    def is_spent(self) -> bool:
        return self.tries >= TRIES_MAX

    def may_send_again(self, now: datetime) -> bool:
        return now >= self.sent_at + SEND_AGAIN_AFTER and self.sends < SENDS_MAX


class Asked(msgspec.Struct, frozen=True):
    """The sign-in form, understood; or what is wrong with it, by the id of the field."""

    contact: ContactPoint | None
    birth_on: date | None
    errors: Mapping[str, str]


def read_form(form: Mapping[str, str], today: date) -> Asked:
    """What was typed. Nothing here depends on who is known."""
    contact, birth = contact_of(form.get("contact", "")), birth_of(form, today)
    errors = {}
    if contact is None:
        errors["contact"] = "Enter your phone number, for example 312 555 0147, or your e-mail address."
    if birth is None:
        errors["month"] = "Enter your date of birth: month, day and year in numbers, for example 5 17 1944."
    return Asked(contact, birth, errors)


def contact_of(text: str) -> ContactPoint | None:
    """A telephone number or an e-mail address; None for what is neither."""
    short = text.strip()[: CONTACT_LENGTH_MAX + 1]
    if len(short) > CONTACT_LENGTH_MAX or not short.isprintable():
        return None
    if EMAIL.fullmatch(short):
        return ContactPoint(system="email", value=short)
    return ContactPoint(system="phone", value=short) if PHONE.fullmatch(BETWEEN_DIGITS.sub("", short).lower()) else None


def birth_of(form: Mapping[str, str], today: date) -> date | None:
    """A date of birth out of three fields; None for one that cannot be."""
    parts = [form.get(name, "") for name in ("year", "month", "day")]
    if not all(part.isascii() and part.isdigit() and len(part) <= 4 for part in parts):
        return None
    try:
        found = date(*map(int, parts))
    except ValueError:
        return None
    return found if found.year >= EARLIEST_YEAR and found <= today + timedelta(days=1) else None


def own_contact(patient: Patient, typed: ContactPoint) -> str | None:
    """The contact as it stands in the record, if it is the one that was typed: a code goes nowhere else."""
    return next((one.value for one in patient.telecom if one.system == typed.system and one.key() == typed.key()), None)


def preferred_contact(patient: Patient) -> ContactPoint | None:
    """Where a person is told things: by telephone, else by e-mail."""
    by_system = {one.system: one for one in reversed(patient.telecom)}
    return by_system.get("phone") or by_system.get("email")
