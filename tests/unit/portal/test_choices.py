"""What may be chosen: services, visits, people, languages."""

import msgspec
import pytest

from carewright.contracts.directory import BookingRules, Prerequisite, Requirement
from carewright.portal.model import choices
from carewright.portal.model.times import TimesQuery
from tests.unit.portal.double import Hospital, build
from tests.unit.portal.double_records import numbered


@pytest.fixture
def hospital() -> Hospital:
    return build()


def names(found: tuple[choices.SpecialtyCards, ...]) -> list[str]:
    return [one.name for group in found for one in group.services]


def test_services_stand_by_specialty_in_the_order_of_the_alphabet(hospital: Hospital) -> None:
    groups = choices.cards(hospital.services, "")
    assert [group.heading for group in groups] == sorted(group.heading for group in groups)
    diagnostics = next(group for group in groups if group.name == "Diagnostics")
    assert [one.name for one in diagnostics.services] == ["Imaging", "Laboratory"]
    assert not diagnostics.alone


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("heart", ["Cardiology"]),
        ("HÉART", ["Cardiology"]),
        ("checkups", ["Family Medicine"]),
        ("blood test", ["Laboratory"]),
        ("follow heart", ["Cardiology"]),
        ("zebra", []),
        ("   ", None),
    ],
)
def test_words_are_found_wherever_the_page_says_them(hospital: Hospital, text: str, found: list[str] | None) -> None:
    everything = names(choices.cards(hospital.services, ""))
    assert names(choices.cards(hospital.services, text)) == (everything if found is None else found)


def test_a_search_points_at_the_visits_it_hit(hospital: Hospital) -> None:
    (group,) = choices.cards(hospital.services, "heart follow-up")
    assert [visit.name for visit in group.services[0].visits] == ["Follow-up visit"]
    assert choices.cards(hospital.services, "heart")[0].services[0].visits == ()


def test_what_staff_arrange_is_not_offered(hospital: Hospital) -> None:
    summary = hospital.services[0]
    assert "Planned procedure" not in [kind.name for kind in choices.bookable(summary)]
    closed = msgspec.structs.replace(
        summary, visit_types=tuple(msgspec.structs.replace(kind, active=False) for kind in summary.visit_types)
    )
    assert choices.cards([closed], "") == ()


@pytest.mark.parametrize(
    ("language", "text"), [("fr", "Venez à jeun."), ("fr-CA", "Venez à jeun."), ("de", "Come fasting."), (None, "Come fasting.")]
)
def test_instructions_come_in_the_patients_language_or_english(hospital: Hospital, language: str | None, text: str) -> None:
    kind = msgspec.structs.replace(
        hospital.visit_named("Cardiology", "Follow-up visit"), instructions={"fr": "Venez à jeun.", "en": "Come fasting."}
    )
    assert choices.instructions(kind, language)[0] == text


def test_instructions_in_neither_language_are_better_than_none(hospital: Hospital) -> None:
    kind = hospital.visit_named("Cardiology", "Follow-up visit")
    assert choices.instructions(msgspec.structs.replace(kind, instructions={"es": "Venga en ayunas."}), "de") == ("Venga en ayunas.", "es")
    assert choices.instructions(msgspec.structs.replace(kind, instructions={}), "de") == ("", "en")


def test_only_those_who_carry_every_code_can_lead(hospital: Hospital) -> None:
    kind = hospital.visit_named("Cardiology", "Follow-up visit")
    assert {one.roles[0].specialties[0].display for one in choices.able(hospital.staff, kind)} == {"Cardiology"}
    code = kind.requirements[0].codes[0]
    harder = msgspec.structs.replace(kind, requirements=(Requirement(kind="practitioner", codes=(code, "urn:x|y"), duration_minutes=20),))
    assert choices.able(hospital.staff, harder) == ()


def test_the_form_offers_what_there_is_to_choose(hospital: Hospital) -> None:
    kind = hospital.visit_named("Cardiology", "Follow-up visit")
    staff = choices.able(hospital.staff, kind)
    query = TimesQuery(kind.id, practitioner=staff[0].practitioner.id)
    wishes = choices.wishes(query, hospital.sites, staff)
    assert [one.label for one in wishes.sites] == ["Any location", "Main Hospital", "North Clinic", "West Clinic"]
    assert [one.label for one in wishes.practitioners if one.chosen] == [staff[0].practitioner.display]
    assert "Arabic" in [one.label for one in wishes.languages] or "Spanish" in [one.label for one in wishes.languages]
    assert wishes.parts[0].chosen


def test_a_choice_of_one_is_no_choice(hospital: Hospital) -> None:
    wishes = choices.wishes(TimesQuery(numbered(3, 501)), hospital.sites[:1], ())
    assert (wishes.sites, wishes.practitioners, wishes.languages) == ((), (), ())


def test_a_visit_says_what_must_come_first(hospital: Hospital) -> None:
    kind = hospital.visit_named("Cardiology", "Follow-up visit")
    first = hospital.visit_named("Cardiology", "New patient visit")
    rules = BookingRules(prerequisites=(Prerequisite(kind="earlier-visit", visit_type_id=first.id), Prerequisite(kind="referral")))
    view = choices.visit(msgspec.structs.replace(kind, rules=rules), None, {first.id: first.name})
    assert (view.before, view.referral) == (("New patient visit",), True)


def test_the_visits_own_sites_count_before_the_services(hospital: Hospital) -> None:
    kind = hospital.visit_named("Cardiology", "Follow-up visit")
    only = msgspec.structs.replace(kind, rules=BookingRules(site_ids=(numbered(1, 2),)))
    assert [one.name for one in choices.offered_sites(hospital.sites, (), kind)] == ["Main Hospital", "North Clinic", "West Clinic"]
    assert [one.name for one in choices.offered_sites(hospital.sites, (numbered(1, 1),), only)] == ["North Clinic"]


@pytest.mark.parametrize(("tag", "name"), [("en-GB", "English"), ("pt-BR", "Portuguese"), ("xx", "xx")])
def test_languages_are_called_by_name(tag: str, name: str) -> None:
    assert choices.language_name(tag) == name
