import pytest

from carewright.fhir.model.invariants import LEFT_OUT, RULES
from carewright.fhir.store import r4_definitions
from tests.unit.fhir.forms import DEFINITIONS, OFFICIAL, SERVED, needs_official
from tools import r4_definitions as tool


def test_the_table_is_small_and_of_r4() -> None:
    assert DEFINITIONS.version == "4.0.1"
    assert tool.TARGET.stat().st_size < 400_000
    assert r4_definitions() is DEFINITIONS


def test_every_resource_of_r4_has_its_form() -> None:
    assert {name for name, each in DEFINITIONS.types.items() if each.kind == "resource"} == DEFINITIONS.resources
    assert DEFINITIONS.resources > SERVED
    assert len(DEFINITIONS.resources - {"Resource", "DomainResource"}) == 146
    assert DEFINITIONS.resource("Slot") is DEFINITIONS.types["Slot"]
    assert [DEFINITIONS.resource(name) for name in ("Period", "Appointment.participant", "SubscriptionStatus", None, 7)] == [None] * 5


def test_nothing_abstract_can_be_sent() -> None:
    assert DEFINITIONS.resource("DomainResource") is None
    assert DEFINITIONS.resource("Resource") is None


def test_an_appointment_has_the_elements_of_its_definition_in_order() -> None:
    names = [each.name for each in DEFINITIONS.types["Appointment"].elements]
    assert names[:11] == [
        "id", "meta", "implicitRules", "language", "text", "contained", "extension", "modifierExtension", "identifier", "status",
        "cancelationReason",
    ]  # fmt: skip
    assert names[-3:] == ["basedOn", "participant", "requestedPeriod"]


def test_an_element_says_what_its_definition_says() -> None:
    status = DEFINITIONS.types["Appointment"].by_name["status"]
    assert (status.min, status.max, status.types, status.value_set) == (1, 1, ("code",), "appointmentstatus")
    assert status.is_summary
    assert status.is_modifier
    assert (status.flags, status.is_list) == ("sm", False)
    actor = DEFINITIONS.types["Appointment.participant"].by_name["actor"]
    assert "Practitioner" in actor.targets
    assert "Medication" not in actor.targets
    assert DEFINITIONS.types["Extension"].by_name["url"].is_attribute
    assert not DEFINITIONS.types["Patient"].by_name["id"].is_attribute
    assert DEFINITIONS.types["Bundle.entry"].by_name["link"].types == ("Bundle.link",)


def test_a_choice_has_one_property_for_each_type() -> None:
    value = DEFINITIONS.types["Observation"].by_name["value"]
    assert value.is_choice
    assert [value.property_of(each) for each in ("Quantity", "dateTime", "boolean")] == ["valueQuantity", "valueDateTime", "valueBoolean"]
    known = DEFINITIONS.types["Observation"].properties["valueDateTime"]
    assert (known.element, known.type_name) == (value, "dateTime")


def test_a_required_binding_has_its_codes() -> None:
    (codes,) = DEFINITIONS.value_sets["appointmentstatus"].values()
    assert codes == {
        "proposed", "pending", "booked", "arrived", "fulfilled", "cancelled", "noshow", "entered-in-error", "checked-in", "waitlist",
    }  # fmt: skip
    assert all(codes for systems in DEFINITIONS.value_sets.values() for codes in systems.values())


def test_every_type_that_is_named_is_there() -> None:
    elements = [each for kind in DEFINITIONS.types.values() for each in kind.elements]
    assert {name for each in elements for name in each.types} <= DEFINITIONS.types.keys()
    assert {each.value_set for each in elements} - {""} == DEFINITIONS.value_sets.keys()
    assert {target for each in elements for target in each.targets} <= DEFINITIONS.resources


def test_every_rule_of_the_definitions_is_written_out_or_left_out_for_a_reason() -> None:
    elements = [each for kind in DEFINITIONS.types.values() for each in kind.elements]
    rules = {key for kind in DEFINITIONS.types.values() for key in kind.rules} | {key for each in elements for key in each.rules}
    assert {key for key in rules if not key.startswith("eld-")} - RULES.keys() - LEFT_OUT.keys() == set()
    assert RULES.keys() <= rules


@needs_official
def test_the_table_is_the_one_that_the_definitions_make() -> None:
    assert OFFICIAL
    assert tool.TARGET.read_text("utf-8") == tool.text_of(tool.table(OFFICIAL)), "run: python tools/r4_definitions.py FOLDER"


@pytest.mark.parametrize("key", sorted(LEFT_OUT))
def test_a_rule_is_not_both_written_out_and_left_out(key: str) -> None:
    assert key not in RULES
