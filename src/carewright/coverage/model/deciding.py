"""What an answer means for the desk: whether to believe it, who pays how much, what is missing, and what the site's rule makes of it."""

from collections.abc import Iterable
from datetime import date

from carewright.contracts.coverage import WHOLE_PLAN, Benefits, Decision, Missing, Rule, Standing
from carewright.contracts.directory import URGENT, UrgencyTier
from carewright.coverage.model.authorising import AUTHORISATION
from carewright.coverage.model.question import Answer, Benefit, Question, Review
from carewright.coverage.model.x12.codes import BENEFIT_OF, REJECT_OF

DECISIONS: tuple[Decision, ...] = ("proceed", "warn", "stop")
"""From the mildest to the strictest."""
REMAINING = "29"
"""EB06: what is left of a yearly amount."""
OUT_OF_NETWORK = "N"


def is_about(question: Question, answer: Answer | Review) -> bool:
    """Whether an answer is to this question, and about this person: else it is another's, or made up."""
    if question.trace not in answer.traces or (answer.member_id and _same(answer.member_id) != _same(question.member_id)):
        return False
    born = [(question.subscriber.birth_on, answer.subscriber_birth_on)]
    if question.dependent:
        born.append((question.dependent.birth_on, answer.dependent_birth_on))
    return all(ours == theirs for ours, theirs in born if ours and theirs)


def standing_of(question: Question, answer: Answer) -> Standing:
    """Covered for this service that day, not covered, or nobody knows."""
    words = {BENEFIT_OF.get(each.kind) for each in _relevant(question, answer.benefits)}
    if answer.rejects or not words & {"active", "inactive", "not-covered"}:
        return "unknown"
    return "inactive" if words & {"inactive", "not-covered"} or not _enrolled(answer, question.serviced_on) else "active"


def missing_of(question: Question, answer: Answer) -> tuple[Missing, ...]:
    """What the desk must see to, each once, in the order in which the payer said it."""
    found: list[str] = [REJECT_OF.get(each.reason, "data") for each in answer.rejects]
    for each in _relevant(question, answer.benefits):
        word = BENEFIT_OF.get(each.kind)
        if word in ("not-covered", "other-payer", "cannot-process"):
            found.append(word)
        if each.authorisation == "Y":
            found.append(AUTHORISATION)
    if not _enrolled(answer, question.serviced_on) and not answer.rejects:
        found.append("not-enrolled")
    return tuple(dict.fromkeys(found))  # type: ignore[arg-type]  # the tables' words are the contract's, which a test compares


def benefits_of(question: Question, answer: Answer) -> Benefits:
    """What the patient pays. Of several lines the one for this very service counts before the one for the whole plan."""
    lines = [each for each in _relevant(question, answer.benefits) if each.in_network != OUT_OF_NETWORK]
    return Benefits(
        plan=next((each.plan for each in lines if each.plan), ""), begins_on=answer.plan_begins_on, ends_on=answer.plan_ends_on,
        copay_cents=_cents(_of(lines, "copay")),
        coinsurance_percent=next((x.percent for x in _of(lines, "coinsurance") if x.percent is not None), None),
        deductible_cents=_cents(x for x in _of(lines, "deductible") if x.period != REMAINING),
        deductible_left_cents=_cents(x for x in _of(lines, "deductible") if x.period == REMAINING),
        out_of_pocket_left_cents=_cents(x for x in _of(lines, "out-of-pocket") if x.period == REMAINING),
    )  # fmt: skip


def decide(rule: Rule, urgency: UrgencyTier, standing: Standing, missing: Iterable[Missing]) -> Decision:
    """What the desk does. Nothing stops an urgent visit, whatever anybody answered."""
    if rule == "allow" or (standing == "active" and not tuple(missing)):
        return "proceed"
    return "stop" if rule == "require" and urgency not in URGENT else "warn"


def strictest(*decisions: Decision) -> Decision:
    return max(decisions, key=DECISIONS.index)


def _relevant(question: Question, benefits: Iterable[Benefit]) -> list[Benefit]:
    """Lines about the service asked for, then those about the whole plan or about nothing in particular."""
    lines = list(benefits)
    own = [each for each in lines if question.service_type in each.service_types]
    general = [each for each in lines if not each.service_types or WHOLE_PLAN in each.service_types]
    return own + [each for each in general if each not in own]


def _enrolled(answer: Answer, day: date) -> bool:
    begun = answer.plan_begins_on is None or answer.plan_begins_on <= day
    return begun and (answer.plan_ends_on is None or day <= answer.plan_ends_on)


def _of(lines: Iterable[Benefit], word: str) -> list[Benefit]:
    return [each for each in lines if BENEFIT_OF.get(each.kind) == word]


def _cents(lines: Iterable[Benefit]) -> int | None:
    return next((each.cents for each in lines if each.cents is not None), None)


def _same(number: str) -> str:
    """A member id however it is spaced, hyphened and cased."""
    return "".join(letter for letter in number.upper() if letter.isalnum())
