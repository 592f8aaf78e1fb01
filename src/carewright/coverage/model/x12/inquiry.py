"""270: a question about eligibility (005010X279A1). One question an interchange, as real-time inquiries are."""

from collections.abc import Iterator

from carewright.contracts.coverage import Insured, Relationship
from carewright.coverage.model.question import Provider, Question
from carewright.coverage.model.x12.elements import GENDERS, ORGANIZATION_MAX, day, name, parts, person, read_day
from carewright.coverage.model.x12.hierarchy import VERSION, levels, one_transaction
from carewright.coverage.model.x12.interchange import Envelope, Interchange, NotX12, Segment, Transaction, segment, write

OTHER_ADULT = "34"
RELATIONSHIPS: dict[Relationship, str] = {"spouse": "01", "child": "19"}
"""INS02, what the patient is to the subscriber. A question knows these two and `OTHER_ADULT`."""
READ_RELATIONSHIPS = {code: relationship for relationship, code in RELATIONSHIPS.items()}
READ_GENDERS = {code: gender for gender, code in GENDERS.items()}


def write_question(question: Question, envelope: Envelope) -> bytes:
    """Raises `NotX12` for a name or a number that X12 cannot hold."""
    body = tuple(_segments(question))
    return write(envelope, "HS", Transaction(kind="270", version=VERSION, segments=body))


def _segments(question: Question) -> Iterator[Segment]:
    at, provider = question.asked_at, question.provider
    yield segment("BHT", "0022", "13", question.trace, f"{at:%Y%m%d}", f"{at:%H%M}")
    yield segment("HL", "1", "", "20", "1")
    yield segment("NM1", "PR", "2", name(question.payer_name, ORGANIZATION_MAX), *[""] * 4, "PI", question.payer_id)
    yield segment("HL", "2", "1", "21", "1")
    yield segment("NM1", "1P", "2", name(provider.name, ORGANIZATION_MAX), *[""] * 4, "XX", provider.npi)
    yield segment("HL", "3", "2", "22", "1" if question.dependent else "0")
    if question.dependent is None:
        yield _trace(question)
    yield segment("NM1", "IL", "1", *person(question.subscriber), "", "", "MI", question.member_id)
    yield from _demographics(question.subscriber)
    if question.dependent is not None:
        yield segment("HL", "4", "3", "23", "0")
        yield _trace(question)
        yield segment("NM1", "03", "1", *person(question.dependent))
        yield from _demographics(question.dependent)
        yield segment("INS", "N", RELATIONSHIPS.get(question.relationship, OTHER_ADULT))
    yield segment("DTP", "291", "D8", day(question.serviced_on))
    yield segment("EQ", question.service_type)


def _trace(question: Question) -> Segment:
    """TRN03 names who made the number: ten characters, the first of which says that the rest is the sender's own."""
    return segment("TRN", "1", question.trace, f"9{question.provider.npi}"[:10])


def _demographics(one: Insured) -> Iterator[Segment]:
    gender = GENDERS.get(one.gender, "") if one.gender else ""
    if one.birth_on or gender:
        yield segment("DMG", "D8" if one.birth_on else "", day(one.birth_on), gender)


def read_question(interchange: Interchange) -> Question:
    """The question of an interchange: what a payer's side does. Raises `NotX12`."""
    by_level = levels(one_transaction(interchange, "270"))
    payer, provider = _named(by_level.first("20"), "PR"), _named(by_level.first("21"), "1P")
    subscriber = by_level.first("22")
    dependent = by_level.first("23") if by_level.has("23") else None
    asked = dependent or subscriber
    eq, service = _only(asked, "EQ"), _only(asked, "DTP")
    serviced_on = read_day(service.at(3).partition("-")[0])
    if serviced_on is None:
        raise NotX12("value")
    ins = next((each.at(2) for each in dependent or () if each.id == "INS"), "")
    return Question(
        trace=_only(asked, "TRN").at(2), asked_at=by_level.at, provider=Provider(name=provider.at(3), npi=provider.at(9)),
        payer_name=payer.at(3), payer_id=payer.at(9), member_id=_named(subscriber, "IL").at(9), subscriber=_insured(subscriber, "IL"),
        dependent=_insured(dependent, "03") if dependent else None,
        relationship=READ_RELATIONSHIPS.get(ins, "other") if dependent else "self",
        service_type=next(iter(parts(eq.at(1), interchange.separators.repetition)), ""), serviced_on=serviced_on,
    )  # fmt: skip


def _insured(loop: tuple[Segment, ...], code: str) -> Insured:
    named = _named(loop, code)
    born = next((each for each in loop if each.id == "DMG"), segment("DMG"))
    given = tuple(each for each in (named.at(4), named.at(5)) if each)
    return Insured(family=named.at(3), given=given, birth_on=read_day(born.at(2)), gender=READ_GENDERS.get(born.at(3)))


def _named(loop: tuple[Segment, ...], code: str) -> Segment:
    found = next((each for each in loop if each.id == "NM1" and each.at(1) == code), None)
    if found is None:
        raise NotX12("loop")
    return found


def _only(loop: tuple[Segment, ...], id_: str) -> Segment:
    found = [each for each in loop if each.id == id_]
    if len(found) != 1:
        raise NotX12("loop")
    return found[0]
