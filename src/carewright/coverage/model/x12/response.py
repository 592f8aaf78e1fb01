"""271: what a payer says about eligibility (005010X279A1)."""

from collections.abc import Iterator, Sequence
from datetime import date

from carewright.coverage.model.question import Answer, AuthorisationNeeded, Benefit, Question, Reject
from carewright.coverage.model.x12 import elements
from carewright.coverage.model.x12.hierarchy import VERSION, levels, one_transaction, stretches
from carewright.coverage.model.x12.inquiry import RELATIONSHIPS
from carewright.coverage.model.x12.interchange import Envelope, Interchange, NotX12, Segment, Transaction, segment, write

KNOWN = frozenset({
    "AAA", "DMG", "DTP", "EB", "HSD", "HI", "III", "INS", "LE", "LS", "MPI", "MSG", "N3", "N4", "NM1", "PER", "PRV", "REF", "TRN",
})  # fmt: skip
BENEFITS_MAX = 500
PLAN, PLAN_BEGIN, PLAN_END, ELIGIBILITY, ELIGIBILITY_BEGIN, ELIGIBILITY_END = "291", "346", "347", "307", "356", "357"
"""DTP01: the plan, and when eligibility in it begins and ends."""
AUTHORISATION: dict[str, AuthorisationNeeded] = {"Y": "Y", "N": "N", "U": "U", "": ""}


def read_answer(interchange: Interchange) -> Answer:
    """The answer of an interchange to one question. Raises `NotX12` for anything else: another kind, other loops, values out of form."""
    said = levels(one_transaction(interchange, "271"))
    if said.purpose != "11" or any(each.id not in KNOWN for _, loop in said.loops for each in loop):
        raise NotX12("loop")
    subscriber = said.first("22") if said.has("22") else ()
    dependent = said.first("23") if said.has("23") else ()
    person = dependent or subscriber
    begins, ends = _plan_days(subscriber, dependent)
    member = _named(subscriber, "IL")
    return Answer(
        traces=tuple(dict.fromkeys([said.reference, *(each.at(2) for each in person if each.id == "TRN" and each.at(1) == "2")])),
        payer_name=(_named(said.first("20"), "PR") or segment("NM1")).at(3),
        member_id=member.at(9) if member and member.at(8) == "MI" else "",
        subscriber_birth_on=_birth(subscriber), dependent_birth_on=_birth(dependent), plan_begins_on=begins, plan_ends_on=ends,
        benefits=tuple(_benefits(person, interchange.separators.repetition)),
        rejects=tuple(Reject(reason=each.at(3), follow_up=each.at(4)) for _, loop in said.loops for each in loop if each.id == "AAA"),
    )  # fmt: skip


def _named(loop: Sequence[Segment], code: str) -> Segment | None:
    return next((each for each in loop if each.id == "NM1" and each.at(1) == code), None)


def _birth(loop: Sequence[Segment]) -> date | None:
    return next((elements.read_day(each.at(2)) for each in loop if each.id == "DMG"), None)


def _plan_days(*loops: Sequence[Segment]) -> tuple[date | None, date | None]:
    """From when till when the plan holds: what stands before the benefits, the dependent's own last."""
    begins, ends = None, None
    for loop in loops:
        first_benefit = next((number for number, each in enumerate(loop) if each.id == "EB"), len(loop))
        for each in loop[:first_benefit]:
            if each.id == "DTP" and each.at(1) in (PLAN, PLAN_BEGIN, PLAN_END, ELIGIBILITY, ELIGIBILITY_BEGIN, ELIGIBILITY_END):
                first, last = elements.read_days(each.at(2), each.at(3))
                if each.at(1) in (PLAN_END, ELIGIBILITY_END):
                    ends = first
                else:
                    begins, ends = first, last or ends
    return begins, ends


def _benefits(loop: Sequence[Segment], repetition: str) -> Iterator[Benefit]:
    found = stretches(loop, "EB")
    if len(found) > BENEFITS_MAX:
        raise NotX12("size")
    for eb, *inside in found:
        yield _benefit(eb, " ".join(each.at(1) for each in inside if each.id == "MSG"), repetition)


def _benefit(eb: Segment, words: str, repetition: str) -> Benefit:
    if not eb.at(1) or eb.at(11) not in AUTHORISATION:
        raise NotX12("value")
    return Benefit(
        kind=eb.at(1), level=eb.at(2), service_types=elements.parts(eb.at(3), repetition), plan=eb.at(5), period=eb.at(6),
        cents=elements.read_cents(eb.at(7)), percent=elements.read_percent(eb.at(8)), authorisation=AUTHORISATION[eb.at(11)],
        in_network=eb.at(12), message=words[:264],
    )  # fmt: skip


def write_answer(question: Question, answer: Answer, envelope: Envelope) -> bytes:
    """The answer to a question, as a payer writes it. Raises `NotX12` for what X12 cannot hold."""
    body = tuple(_segments(question, answer))
    return write(envelope, "HB", Transaction(kind="271", version=VERSION, segments=body))


def _segments(question: Question, answer: Answer) -> Iterator[Segment]:
    at, trace = question.asked_at, answer.traces[0] if answer.traces else ""
    yield segment("BHT", "0022", "11", trace, f"{at:%Y%m%d}", f"{at:%H%M}")
    yield segment("HL", "1", "", "20", "1")
    payer = elements.name(answer.payer_name or question.payer_name, elements.ORGANIZATION_MAX)
    yield segment("NM1", "PR", "2", payer, *[""] * 4, "PI", question.payer_id)
    yield segment("HL", "2", "1", "21", "1")
    yield segment("NM1", "1P", "2", elements.name(question.provider.name, 60), *[""] * 4, "XX", question.provider.npi)
    yield segment("HL", "3", "2", "22", "1" if question.dependent else "0")
    if question.dependent is None:
        yield segment("TRN", "2", trace, f"9{question.provider.npi}"[:10])
    yield segment("NM1", "IL", "1", *elements.person(question.subscriber), "", "", "MI", answer.member_id)
    if question.dependent is None:
        yield from _rejects(answer)
    yield from _born(answer.subscriber_birth_on)
    if question.dependent is not None:
        yield segment("HL", "4", "3", "23", "0")
        yield segment("TRN", "2", trace, f"9{question.provider.npi}"[:10])
        yield segment("NM1", "03", "1", *elements.person(question.dependent))
        yield from _rejects(answer)
        yield from _born(answer.dependent_birth_on)
        yield segment("INS", "N", RELATIONSHIPS.get(question.relationship, "G8"))
    yield from _days(answer)
    for each in answer.benefits:
        yield from _eb(each)


def _rejects(answer: Answer) -> Iterator[Segment]:
    return (segment("AAA", "N", "", each.reason, each.follow_up) for each in answer.rejects)


def _born(on: date | None) -> Iterator[Segment]:
    if on:
        yield segment("DMG", "D8", elements.day(on))


def _days(answer: Answer) -> Iterator[Segment]:
    for code, on in ((PLAN_BEGIN, answer.plan_begins_on), (PLAN_END, answer.plan_ends_on)):
        if on:
            yield segment("DTP", code, "D8", elements.day(on))


def _eb(each: Benefit) -> Iterator[Segment]:
    yield segment(
        "EB", each.kind, each.level, "^".join(each.service_types), "", each.plan, each.period, elements.cents(each.cents),
        elements.percent(each.percent), "", "", each.authorisation, each.in_network,
    )  # fmt: skip
    if each.message:
        yield segment("MSG", each.message)
