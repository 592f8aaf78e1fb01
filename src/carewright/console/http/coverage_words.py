"""What the desk reads about who pays: each word of the contract as people say it, and what to do."""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from carewright.contracts.coverage import (
    AuthorisationState,
    CoverageStatus,
    Decision,
    Eligibility,
    Insured,
    Missing,
    Relationship,
    VisitCoverage,
)
from carewright.contracts.patients import Patient

State = Literal["covered", "not-covered", "incomplete", "waiting", "unknown", "nobody"]
"""What is known of who pays, as the desk takes it in at a glance."""


class Said(NamedTuple):
    """What is the matter, and what to do about it."""

    what: str
    do: str


MISSING: Mapping[Missing, Said] = {
    "coverage": Said("No coverage is recorded for this day.", "Ask for the card and record what is on it, or agree that the patient pays."),
    "payer": Said("The payer's number is missing or wrong.", "Put the payer's number from the card into the coverage."),
    "member-id": Said("The payer does not know this member number.", "Compare the number with the card, letter by letter."),
    "name": Said("The payer has another name.", "Write the name as it stands on the card."),
    "birth-date": Said("The payer has another birth date.", "Ask for the birth date again; if ours is right, the patient tells the payer."),
    "gender": Said("The payer has another gender.", "Write what the payer has, or leave it open."),
    "group": Said("The patient is not in this group or plan.", "Compare the group with the card, or ask for a newer card."),
    "subscriber": Said("The payer does not know the person whose plan it is.", "Compare number, name and birth date with the card."),
    "patient": Said("The payer does not know the patient.", "Ask whose plan it is, and record that person as the subscriber."),
    "provider": Said("The payer does not know us.", "Tell whoever looks after the contracts with payers. The patient can do nothing."),
    "service-date": Said("The payer does not answer for this day.", "Ask again closer to the day."),
    "not-enrolled": Said("The plan does not hold on this day.", "Ask for a newer card, or agree that the patient pays."),
    "not-covered": Said("The plan does not pay for this service.", "Tell the patient, and agree on who pays."),
    "other-payer": Said("Somebody else pays first.", "Ask for the other card, record it, and put it first."),
    "authorisation": Said(
        "The payer wants to be asked for permission first.", "Ask for an authorisation before the visit, and write its number down."
    ),
    "authorisation-pending": Said(
        "The payer is still looking at whether it gives permission.", "Look again later. Close to the visit, call the payer."
    ),
    "partly-authorised": Said("The payer gave permission for a part of it.", "Ask what it does not pay for, and tell the patient."),
    "not-authorised": Said(
        "The payer did not give permission.", "Ask the payer why. A physician may appeal, or agree with the patient on who pays."
    ),
    "death": Said(
        "The payer has a date of death for the patient.", "Make sure that this is the right person. Then the patient tells the payer."
    ),
    "data": Said("The payer could not use the question.", "Compare everything with the card, and ask again."),
    "not-allowed": Said("We may not ask this payer.", "Tell whoever looks after the clearing-house, and call the payer."),
    "cannot-process": Said("The payer cannot say.", "Call the payer."),
    "payer-away": Said("The payer did not answer.", "It is asked again by itself. If it is urgent, call the payer."),
    "no-clearing-house": Said("Nobody asks payers here.", "Call the payer."),
    "bad-answer": Said(
        "What came was no answer to our question.", "Ask again. If it stays so, tell whoever looks after the clearing-house."
    ),
    "refused": Said("The clearing-house did not take the question.", "Tell whoever looks after the clearing-house, and call the payer."),
    "waiting": Said("The answer is on its way.", "Look again later."),
}  # fmt: skip
AUTHORISATIONS: Mapping[AuthorisationState, str] = {
    "certified": "The payer gave permission",
    "partial": "The payer gave permission for a part",
    "pended": "The payer is still looking at it",
    "denied": "The payer did not give permission",
    "unknown": "Nobody knows: no answer that counts",
}
RECORDED: Mapping[str, str] = {each: AUTHORISATIONS[each] for each in ("certified", "pended", "denied")}
"""What the desk may write down, having been told."""
STATES: Mapping[State, str] = {
    "covered": "Covered",
    "incomplete": "Covered, with something missing",
    "not-covered": "Not covered",
    "waiting": "Waiting for the payer",
    "unknown": "Not known whether it is covered",
    "nobody": "No coverage recorded",
}
DECISIONS: Mapping[Decision, str] = {
    "proceed": "Nothing to do. The visit goes ahead.",
    "warn": "The visit goes ahead. See to what is missing before it, if you can.",
    "stop": "Before the patient is seen, this must be settled: that is the rule of this site.",
}
RELATIONSHIPS: Mapping[Relationship, str] = {
    "self": "It is the patient's own plan",
    "spouse": "Spouse",
    "child": "Child",
    "parent": "Parent",
    "common": "Common-law spouse",
    "other": "Other",
    "injured": "Injured party",
}
STATUSES: Mapping[CoverageStatus, str] = {
    "active": "In use",
    "cancelled": "Cancelled",
    "draft": "Not complete yet",
    "entered-in-error": "Recorded by mistake",
}


def state_of(answer: Eligibility | None) -> State:
    """What an answer comes to; None is nobody to ask."""
    if answer is None:
        return "nobody"
    if answer.outcome == "queued":
        return "waiting"
    if answer.standing == "active":
        return "incomplete" if answer.missing else "covered"
    return "not-covered" if answer.standing == "inactive" else "unknown"


def state_of_visit(visit: VisitCoverage) -> State:
    """As `state_of`; a visit that was not asked about yet waits."""
    return "waiting" if visit.missing == ("waiting",) else state_of(visit.eligibility)


def called(person: Patient | Insured) -> str:
    return " ".join([*person.given, person.family])


def money(cents: int | None) -> str:
    """Dollars, or nothing where the payer did not say."""
    return "" if cents is None else f"${cents / 100:,.2f}"


def owed(answer: Eligibility) -> tuple[tuple[str, str], ...]:
    """What the patient pays, label and amount, as far as the payer said."""
    said = answer.benefits
    share = "" if said.coinsurance_percent is None else f"{said.coinsurance_percent:g} %"
    lines = (
        ("The patient pays for the visit (copay)", money(said.copay_cents)), ("The patient's share of the costs", share),
        ("Left of the deductible", money(said.deductible_left_cents)), ("Deductible of the year", money(said.deductible_cents)),
        ("Left until the plan pays everything", money(said.out_of_pocket_left_cents)),
    )  # fmt: skip
    return tuple(line for line in lines if line[1])
