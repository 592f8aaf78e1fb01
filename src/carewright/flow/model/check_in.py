"""Checking in by a code: what a code looks like, when it is good, and what stands in the way. Pure rules."""

from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from carewright.contracts.directory import UrgencyTier
from carewright.contracts.kiosk import CODE_LETTERS, CheckInAtDesk, CheckInTooEarly
from carewright.contracts.queue import LEVEL_OF_TIER
from carewright.contracts.scheduling import AppointmentStatus
from carewright.kernel.privacy.cipher import FieldCipher

LENGTH, GROUP = 6, 3
"""25 bits: 34 million codes (ASVS 5.0, 6.5, asks for 20 bits of what is typed once). A code opens no record: it gives a ticket."""
CODES: int = len(CODE_LETTERS) ** LENGTH
OPENS = timedelta(hours=3)
"""Before the start of the appointment. Whoever comes earlier waits elsewhere than in a queue."""
WRONG_MAX, WRONG_WITHIN = 6, timedelta(minutes=10)
"""Of one kiosk. At 36 an hour somebody who is left alone for ten hours, at a site where 500 appointments may be checked in for at any time,
finds one in 190 days; the sixth brings the staff."""
TIERS: dict[int, UrgencyTier] = {level: tier for tier, level in LEVEL_OF_TIER.items()}
CANCELLED: frozenset[AppointmentStatus] = frozenset({"cancelled", "entered-in-error"})
WAITED_FOR: frozenset[AppointmentStatus] = frozenset({"booked", "arrived", "checked-in"})


class Today(NamedTuple):
    """An appointment of today, as far as checking in for it needs."""

    appointment_id: UUID
    site_id: UUID
    site_name: str
    time_zone: str
    visit_type_id: UUID
    practitioner_ids: tuple[UUID, ...]
    level: int
    status: AppointmentStatus
    start: datetime
    end: datetime
    patient_id: UUID


def code_of(cipher: FieldCipher, appointment_id: UUID) -> str:
    """The code of an appointment: the same whenever it is asked for, kept nowhere, and to be had with the organization's key alone."""
    number, letters = _number_of(cipher, appointment_id), ""
    for _ in range(LENGTH):
        number, digit = divmod(number, len(CODE_LETTERS))
        letters += CODE_LETTERS[digit]
    return f"{letters[:GROUP]} {letters[GROUP:]}"


def matching(cipher: FieldCipher, appointments: Iterable[Today], code: str) -> list[Today]:
    """Those of which this is the code, however it was typed: one, or none; two in one of many thousand days."""
    wanted = _number_in(code)
    return [each for each in appointments if _number_of(cipher, each.appointment_id) == wanted] if wanted is not None else []


def is_code(text: str) -> bool:
    """Whether this could be one, of whatever appointment."""
    return _number_in(text) is not None


def _number_of(cipher: FieldCipher, appointment_id: UUID) -> int:
    """Of 128 bits so many more than a code has that none comes up more often."""
    return int.from_bytes(cipher.mark("flow.coming", "check_in_code", appointment_id.bytes)[:16], "big") % CODES


def _number_in(code: str) -> int | None:
    """The number that a code writes, the smallest digit first; None for what is no code."""
    letters = [letter for letter in code.upper() if letter.isalnum()]
    if len(letters) != LENGTH or not set(letters) <= set(CODE_LETTERS):
        return None
    number = 0
    for letter in reversed(letters):
        number = number * len(CODE_LETTERS) + CODE_LETTERS.index(letter)
    return number


def ensure_good(one: Today, now: datetime) -> None:
    """Raise what stands in the way of checking in now: `CheckInAtDesk` or `CheckInTooEarly`."""
    if one.status in CANCELLED:
        raise CheckInAtDesk(why="cancelled")
    if one.status not in WAITED_FOR:
        raise CheckInAtDesk(why={"noshow": "missed", "fulfilled": "over"}.get(one.status, "unconfirmed"))
    if now >= one.end:
        raise CheckInAtDesk(why="over")
    if now < one.start - OPENS:
        raise CheckInTooEarly(from_at=(one.start - OPENS).isoformat(), time_zone=one.time_zone)
