"""What an incident that nobody reported asks for: pure rules."""

from collections.abc import Sequence
from datetime import timedelta
from uuid import UUID

import msgspec

from carewright.contracts.audit import Busy
from carewright.contracts.oversight import IncidentKind, Respond
from carewright.kernel.authz import BREAKING_GLASS

NOBODY = "unknown"
"""The audit log's name for whoever nobody knows."""
STEPS = frozenset({"end-sessions", "quarantine", "notify"})
AT_ONCE_MAX = 3
"""More than so many people at once are hardly all thieves: an emergency, or a threshold that is wrong. Then somebody is told, and nobody
is signed out."""
QUIET = timedelta(minutes=10)
"""The same about the same subject opens no second incident within this."""


class Trigger(msgspec.Struct, frozen=True, kw_only=True):
    """Something that was noticed. `about` is the subject, empty where nobody knows it; `reason` is a sentence of ours."""

    organization_id: UUID
    kind: IncidentKind
    about: str
    reason: str
    steps: tuple[str, ...]


def steps_of(text: str) -> tuple[str, ...]:
    """The steps that a setting names. Raises `ValueError` for one that there is none of."""
    steps = tuple(part.strip() for part in text.split(",") if part.strip())
    if strange := [step for step in steps if step not in STEPS]:
        raise ValueError(f"{strange[0]!r} is no step. Choose from: {', '.join(sorted(STEPS))}.")
    return steps


def response_to(trigger: Trigger) -> Respond:
    """The command that carries out the steps of a trigger."""
    whom = (trigger.about,) if trigger.about else ()
    return Respond(
        reason=trigger.reason, end_sessions_of=whom if "end-sessions" in trigger.steps else (),
        quarantine_clients=whom if "quarantine" in trigger.steps else (), notify="notify" in trigger.steps,
    )  # fmt: skip


def fast_readers(busy: Sequence[Busy], exempt: frozenset[str], steps: tuple[str, ...]) -> list[Trigger]:
    """What reading faster than a person reads asks for.

    Nobody is signed out while they have broken the glass: they say that it is an emergency, and a review follows anyway. Nor where many
    are fast at once.
    """
    people = [each for each in busy if each.role not in exempt]
    return [
        Trigger(
            organization_id=each.organization_id, kind="reading_rate", about=each.agent,
            reason=f"{each.agent} ({each.role}) opened the records of {each.count} patients within a minute.",
            steps=("notify",) if each.purpose == BREAKING_GLASS or len(people) > AT_ONCE_MAX else steps,
        )
        for each in people
    ]  # fmt: skip


def failing_clients(busy: Sequence[Busy], steps: tuple[str, ...]) -> list[Trigger]:
    """What another system asks for that says who it is and cannot prove it: its keys went wrong, or somebody else tries to be it."""
    return [
        Trigger(
            organization_id=each.organization_id, kind="bad_tokens", about=each.agent, steps=steps,
            reason=f"{each.agent} could not prove who it is {each.count} times within a minute.",
        )
        for each in busy
        if each.agent != NOBODY
    ]  # fmt: skip


def bad_tokens(busy: Sequence[Busy], organization_id: UUID, at_least: int) -> list[Trigger]:
    """What many tokens that nobody accepts ask for. Nobody knows whose they are, so that a person must look."""
    count = sum(each.count for each in busy if each.agent == NOBODY)
    reason = f"{count} requests within a minute came with tokens or sessions that nobody accepts."
    enough = count >= at_least
    return [Trigger(organization_id=organization_id, kind="bad_tokens", about="", reason=reason, steps=("notify",))] if enough else []


def guessing_around(busy: Sequence[Busy]) -> list[Trigger]:
    """What many wrong codes in one hospital ask for, whoever's accounts they were for: guessing a little at many hides from each count."""
    return [
        Trigger(
            organization_id=each.organization_id, kind="codes_guessed", about="", steps=("notify",),
            reason=f"{each.count} codes were wrong within a minute, for whichever accounts.",
        )
        for each in busy
    ]  # fmt: skip


def guessing_from(busy: Sequence[Busy]) -> list[Trigger]:
    """What many wrong codes or passwords from one address ask for. Many people may share it, so that a person must look."""
    return [
        Trigger(
            organization_id=each.organization_id, kind="codes_guessed", about=f"address/{each.address}", steps=("notify",),
            reason=f"{each.count} codes or passwords from the address {each.address} were wrong within ten minutes, for any account.",
        )
        for each in busy
    ]  # fmt: skip


def guessed(organization_id: UUID, patient_id: UUID, failures: int, steps: tuple[str, ...]) -> Trigger:
    """What guessing at one account asks for. Its owner is not to suffer for who guesses: their sessions end only if the settings say so."""
    reason = f"{failures} codes in a row were wrong for one account."
    return Trigger(organization_id=organization_id, kind="codes_guessed", about=f"patient/{patient_id}", reason=reason, steps=steps)
