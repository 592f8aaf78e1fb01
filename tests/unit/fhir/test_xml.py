from decimal import Decimal
from pathlib import Path
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from carewright.fhir.model.limits import DEPTH_MAX
from carewright.fhir.model.validating import issues_of
from carewright.fhir.model.xml import (
    BYTES_MAX,
    NODES_MAX,
    NotWritable,
    XmlForbidden,
    XmlMalformed,
    XmlNotFhir,
    XmlTooLarge,
    from_xml,
    to_xml,
)
from carewright.kernel.errors import Refusal
from tests.unit.fhir.forms import DEFINITIONS, FOLDER, OFFICIAL, SERVED, Object, decoded, example, examples, needs_official, spoiling

SORTED = msgspec.json.Encoder(order="sorted", decimal_format="number")
DIV = '<div xmlns="http://www.w3.org/1999/xhtml">%s</div>'
OFFICIAL_BYTES_MAX = 1_000_000


def read(body: str) -> Object:
    return from_xml(DEFINITIONS, body.encode())


def written(resource: Object) -> str:
    return to_xml(DEFINITIONS, resource).decode()


def patient(inside: str, more: str = "") -> str:
    return f'<Patient xmlns="http://hl7.org/fhir"{more}>{inside}</Patient>'


def assert_unchanged(raw: bytes) -> None:
    """The same members, and every number with its digits."""
    there = to_xml(DEFINITIONS, decoded(raw))
    assert SORTED.encode(from_xml(DEFINITIONS, there)) == SORTED.encode(decoded(raw))


@pytest.mark.requirement("R4.examples")
@pytest.mark.parametrize("path", examples(), ids=lambda path: path.stem)
def test_an_official_example_comes_back_unchanged(path: Path) -> None:
    assert_unchanged(path.read_bytes())


@needs_official
@pytest.mark.parametrize("resource_type", sorted(SERVED - {"Parameters"}))
def test_every_official_example_comes_back_unchanged(resource_type: str) -> None:
    assert OFFICIAL
    for path in OFFICIAL.glob(f"{resource_type}-*.json"):
        if path.stat().st_size < OFFICIAL_BYTES_MAX:
            assert_unchanged(path.read_bytes())


def test_the_official_xml_of_an_example_is_its_official_json() -> None:
    """Both as HL7 publishes them, so that a fault of reading and one of writing cannot hide each other."""
    found = from_xml(DEFINITIONS, (FOLDER / "patient-example.xml").read_bytes())
    official = example("Patient-example")
    assert found.pop("text")["status"] == official.pop("text")["status"]
    assert found == official


def test_elements_are_written_in_the_order_of_their_definitions() -> None:
    resource = {"gender": "female", "resourceType": "Patient", "name": [{"given": ["A", "B"], "family": "C"}], "id": "1", "active": True}
    assert written(resource) == (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        '<Patient xmlns="http://hl7.org/fhir"><id value="1"/><active value="true"/><name><family value="C"/><given value="A"/>'
        '<given value="B"/></name><gender value="female"/></Patient>'
    )


def test_extensions_of_primitives_stand_inside_them() -> None:
    extension = {"url": "http://a.org", "valueCode": "b"}
    resource = {
        "resourceType": "Patient",
        "_birthDate": {"id": "x", "extension": [extension]},
        "name": [{"given": [None, "B", None], "_given": [{"extension": [extension]}, None, {"id": "y", "extension": [extension]}]}],
    }
    assert issues_of(DEFINITIONS, resource) == ()
    inner = '<extension url="http://a.org"><valueCode value="b"/></extension>'
    text = written(resource)
    assert f'<birthDate id="x">{inner}</birthDate>' in text
    assert f'<given>{inner}</given><given value="B"/><given id="y">{inner}</given>' in text
    assert read(text) == resource


def test_a_decimal_keeps_its_digits() -> None:
    raw = b'{"resourceType":"Observation","status":"final","code":{"text":"a"},"valueQuantity":{"value":1.00}}'
    assert '<value value="1.00"/>' in written(decoded(raw))
    assert_unchanged(raw)
    assert_unchanged(raw.replace(b"1.00", b"-0.000000000000000000001"))
    assert read(written({"resourceType": "Observation", "valueQuantity": {"value": 0.5}}))["valueQuantity"] == {"value": Decimal("0.5")}


def test_a_narrative_is_kept_letter_by_letter() -> None:
    div = '<div xmlns="http://www.w3.org/1999/xhtml" title="a>b"\n >  <p class=\'c\'>&amp;&#160;\u00e9<br/> <br></br></p><!-- d --></div >'
    assert read(patient(f"<text><status value='generated'/>\n{div}\n</text>"))["text"]["div"] == div
    empty = '<div xmlns="http://www.w3.org/1999/xhtml" title="/>"/>'
    assert read(patient(f"<text>{empty}</text>"))["text"] == {"div": empty}


def test_names_of_characters_become_characters_in_xml() -> None:
    text = written({"resourceType": "Patient", "text": {"status": "generated", "div": DIV % "a&nbsp;b&amp;"}})
    assert read(text)["text"]["div"] == DIV % "a\xa0b&amp;"


def test_contained_resources_and_those_of_bundles_are_resources() -> None:
    bundle = {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": example("Encounter-home")}]}
    assert bundle["entry"][0]["resource"]["contained"]  # type: ignore[index] # a value of JSON, known to be there
    assert read(written(bundle)) == bundle


@given(st.text())
def test_any_text_comes_back_or_is_refused(text: str) -> None:
    resource = {"resourceType": "Patient", "name": [{"text": text}], "text": {"status": "generated", "div": DIV % text}}
    try:
        assert read(written(resource))["name"][0]["text"] == text
    except NotWritable:
        assert issues_of(DEFINITIONS, resource)


@pytest.mark.parametrize(
    ("text", "refusal"),
    [
        ("", XmlMalformed), ("<", XmlMalformed), (patient("<id value='1'>"), XmlMalformed), (patient("") * 2, XmlMalformed),
        (patient("<id value='&a;'/>"), XmlMalformed),
        ("<!DOCTYPE Patient>" + patient(""), XmlForbidden), ("<Patient/>", XmlNotFhir), ('<Patient xmlns="http://a.org"/>', XmlNotFhir),
        ('<Period xmlns="http://hl7.org/fhir"/>', XmlNotFhir), ('<Resource xmlns="http://hl7.org/fhir"/>', XmlNotFhir),
        (DIV % "a", XmlNotFhir),
        (patient("a"), XmlNotFhir), (patient("<nickname value='a'/>"), XmlNotFhir), (patient("", " id='1'"), XmlNotFhir),
        (patient("<id value='1'/><id value='2'/>"), XmlNotFhir), (patient("<id/>"), XmlNotFhir), (patient("<id lang='1'/>"), XmlNotFhir),
        (patient("<extension><url value='a'/></extension>"), XmlNotFhir), (patient("<contained/>"), XmlNotFhir),
        (patient("<contained><id value='1'/></contained>"), XmlNotFhir), (patient(DIV % "a"), XmlNotFhir),
        (patient("<text><div>a</div></text>"), XmlNotFhir), (patient("<text><div value='a'/></text>"), XmlNotFhir),
        (patient(f"<id>{DIV % 'a'}</id>"), XmlNotFhir), (patient("<resourceType value='a'/>"), XmlNotFhir),
        (patient("<h:div>a</h:div>", " xmlns:h='http://www.w3.org/1999/xhtml'"), XmlNotFhir),
        (patient("<text><h:div>a</h:div></text>", " xmlns:h='http://www.w3.org/1999/xhtml'"), XmlNotFhir),
        (patient("<text><p xmlns='http://www.w3.org/1999/xhtml'>a</p></text>"), XmlNotFhir),
    ],
)  # fmt: skip
def test_what_is_not_fhir_xml_is_refused(text: str, refusal: type[Refusal]) -> None:
    with pytest.raises(refusal):
        read(text)


@pytest.mark.parametrize("raw", ["<Patient xmlns='http://hl7.org/fhir'/>".encode("utf-16"), b"\xff", b"<a>\xe9</a>"])
def test_other_charsets_than_utf_8_are_refused(raw: bytes) -> None:
    with pytest.raises(XmlMalformed):
        from_xml(DEFINITIONS, raw)


def test_nothing_expands_and_nothing_is_fetched() -> None:
    laughs = "".join(f'<!ENTITY a{n} "{f"&a{n - 1};" * 10}">' for n in range(1, 10))
    with pytest.raises(XmlForbidden):
        read(f'<!DOCTYPE Patient [<!ENTITY a0 "ha">{laughs}]>' + patient("<id value='&a9;'/>"))
    with pytest.raises(XmlForbidden):
        read('<!DOCTYPE Patient SYSTEM "file:///etc/passwd">' + patient("<id value='1'/>"))


def test_depth_and_size_have_limits() -> None:
    deep = "<extension url='a'>" * DEPTH_MAX + "</extension>" * DEPTH_MAX
    with pytest.raises(XmlTooLarge):
        read(patient(deep))
    with pytest.raises(XmlTooLarge):
        read(patient(f"<text>{DIV % ('<p>' * DEPTH_MAX + '</p>' * DEPTH_MAX)}</text>"))
    with pytest.raises(XmlTooLarge):
        read(patient("<link/>" * NODES_MAX))
    with pytest.raises(XmlTooLarge):
        from_xml(DEFINITIONS, b" " * (BYTES_MAX + 1))


def test_a_refusal_names_the_place_and_not_the_value() -> None:
    with pytest.raises(XmlNotFhir) as refused:
        read(patient("<name><family value='Zebra'/><family value='Zebra'/></name>"))
    assert refused.value.facts == {"expression": "Patient.name.family"}
    assert "Zebra" not in str(refused.value)


def test_what_is_of_another_type_is_left_to_validation() -> None:
    read_so = read(patient("<active value='yes'/><multipleBirthInteger value='many'/>"))
    assert read_so == {"resourceType": "Patient", "active": "yes", "multipleBirthInteger": "many"}
    assert [issue.expression for issue in issues_of(DEFINITIONS, read_so)] == ["Patient.active", "Patient.multipleBirth.ofType(integer)"]
    quantity = read('<Observation xmlns="http://hl7.org/fhir"><valueQuantity><value value="1,5"/></valueQuantity></Observation>')
    assert quantity["valueQuantity"] == {"value": "1,5"}


def test_where_a_schema_lies_is_passed_over() -> None:
    place = ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance" xsi:schemaLocation="http://hl7.org/fhir patient.xsd"'
    assert read(patient("<active value='true'/>", place)) == {"resourceType": "Patient", "active": True}


@pytest.mark.parametrize(
    "resource",
    [
        {}, {"resourceType": "Period"}, {"resourceType": "Patient", "nickname": "a"}, {"resourceType": "Patient", "name": {"text": "a"}},
        {"resourceType": "Patient", "name": ["a"]}, {"resourceType": "Patient", "id": {"a": 1}}, {"resourceType": "Patient", "id": ["1"]},
        {"resourceType": "Patient", "id": "a\x00"}, {"resourceType": "Patient", "extension": [{"url": 7}]},
        {"resourceType": "Patient", "text": {"div": "</text><id value='2'/>"}}, {"resourceType": "Patient", "contained": ["a"]},
        {"resourceType": "Patient", "text": {"div": '<?xml version="1.0"?>' + DIV % "a"}},
    ],
)  # fmt: skip
def test_what_is_no_resource_is_not_written(resource: Any) -> None:
    with pytest.raises(NotWritable):
        to_xml(DEFINITIONS, resource)


@pytest.mark.parametrize("path", examples(), ids=lambda path: path.stem)
def test_a_spoiled_example_is_written_or_refused(path: Path) -> None:
    resource = decoded(path.read_bytes())
    for place in spoiling(resource):
        place.owner[place.name] = {"div": [None, {"a": 7}]}
        with pytest.raises(NotWritable):
            to_xml(DEFINITIONS, resource)
