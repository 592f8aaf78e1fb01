"""What FHIR R4's page of search says (http://hl7.org/fhir/R4/search.html), case by case, each under the section that it is from."""

import pytest

from carewright.fhir.model.searching.refusals import BadValue, SearchRefused, UnsupportedModifier
from tests.unit.fhir.searching.asking import BASE, NEW_YORK, Json, is_found, search


def patient(**fields: object) -> Json:
    return {"resourceType": "Patient", "id": "1", **fields}


def observation(**fields: object) -> Json:
    return {"resourceType": "Observation", "id": "1", **fields}


def appointment(**fields: object) -> Json:
    return {"resourceType": "Appointment", "id": "1", **fields}


MEDICAL_RECORD = {"type": {"coding": [{"system": "http://t", "code": "MR"}], "text": "Medical record"}, "value": "446053"}
PATIENT_EVE = patient(name=[{"family": "Everett", "given": ["Eve", "Zoë"]}], gender="female", birthDate="1970-06-15", active=True)

STRING = [
    # "Any patients with a name containing a given part with "eve" at the start of the name. This would include patients with the given
    # name "Eve", "Evelyn"." / ":contains ... "Severine"" / ":exact ... not "eve" or "EVE""
    ("given=eve", patient(name=[{"given": ["Eve"]}]), True),
    ("given=eve", patient(name=[{"given": ["Evelyn"]}]), True),
    ("given=eve", patient(name=[{"given": ["Severine"]}]), False),
    ("given:contains=eve", patient(name=[{"given": ["Severine"]}]), True),
    ("given:exact=Eve", patient(name=[{"given": ["Eve"]}]), True),
    ("given:exact=Eve", patient(name=[{"given": ["eve"]}]), False),
    ("given:exact=Eve", patient(name=[{"given": ["EVE"]}]), False),
    ("given:exact=Eve", patient(name=[{"given": ["Evelyn"]}]), False),
    ("given=zoe", PATIENT_EVE, True),
    ("given=ZOË", PATIENT_EVE, True),
    ("given:exact=Zoe", PATIENT_EVE, False),
    ("name=everett", PATIENT_EVE, True),
    ("name=zoe", PATIENT_EVE, True),
    ("name=smith", PATIENT_EVE, False),
    ("address=main", patient(address=[{"line": ["1 High Street", "Main building"], "city": "Springfield"}]), True),
    ("address=springf", patient(address=[{"line": ["1 High Street"], "city": "Springfield"}]), True),
    ("address=street", patient(address=[{"line": ["1 High Street"], "city": "Springfield"}]), False),
    ("family=strasse", patient(name=[{"family": "Straße"}]), True),
    ("family=van  der", patient(name=[{"family": "Van Der Berg"}]), True),
    ("phonetic=smith", patient(name=[{"family": "Smyth"}]), True),
    ("phonetic=smith", patient(name=[{"family": "Jones"}]), False),
]
TOKEN = [
    ("identifier=http://acme.org/patient|2345", patient(identifier=[{"system": "http://acme.org/patient", "value": "2345"}]), True),
    ("identifier=http://acme.org/patient|2345", patient(identifier=[{"system": "http://acme.org/other", "value": "2345"}]), False),
    ("identifier=2345", patient(identifier=[{"system": "http://acme.org/other", "value": "2345"}]), True),
    ("identifier=|2345", patient(identifier=[{"system": "http://acme.org/other", "value": "2345"}]), False),
    ("identifier=|2345", patient(identifier=[{"value": "2345"}]), True),
    ("identifier=http://acme.org/patient|", patient(identifier=[{"system": "http://acme.org/patient", "value": "1"}]), True),
    ("identifier=http://acme.org/patient|", patient(identifier=[{"value": "1"}]), False),
    ("gender=male", patient(gender="male"), True),
    ("gender=MALE", patient(gender="male"), True),
    ("gender=http://hl7.org/fhir/administrative-gender|male", patient(gender="male"), True),
    ("gender=http://acme.org|male", patient(gender="male"), False),
    ("gender:not=male", patient(gender="female"), True),
    ("gender:not=male", patient(gender="male"), False),
    ("gender:not=male", patient(), True),
    ("gender:not=male,female", patient(gender="female"), False),
    ("active=true", patient(active=True), True),
    ("active=false", patient(active=True), False),
    ("active=true", patient(), False),
    ("code=http://acme.org/codes|ha125", observation(code={"coding": [{"system": "http://acme.org/codes", "code": "ha125"}]}), True),
    ("code=ha125", observation(code={"coding": [{"code": "x"}, {"code": "ha125"}]}), True),
    ("code:text=headache", observation(code={"text": "Headache, severe"}), True),
    ("code:text=headache", observation(code={"coding": [{"display": "headache"}]}), True),
    ("code:text=headache", observation(code={"coding": [{"code": "headache"}]}), False),
    ("code=headache", observation(code={"text": "headache"}), False),
    ("identifier:of-type=http://t|MR|446053", patient(identifier=[MEDICAL_RECORD]), True),
    ("identifier:of-type=http://t|SS|446053", patient(identifier=[MEDICAL_RECORD]), False),
    ("identifier:of-type=http://t|MR|446054", patient(identifier=[MEDICAL_RECORD]), False),
    ("identifier:text=medical", patient(identifier=[MEDICAL_RECORD]), True),
    ("phone=5551234", patient(telecom=[{"system": "phone", "value": "555-1234"}]), True),
    ("phone=5551234", patient(telecom=[{"system": "fax", "value": "555-1234"}]), False),
    ("telecom=home|5551234", patient(telecom=[{"system": "phone", "use": "home", "value": "5551234"}]), True),
    ("email=Eve@Example.org", patient(telecom=[{"system": "email", "value": "eve@example.org"}]), True),
    ("deceased=true", patient(deceasedDateTime="2020"), True),
    ("deceased=true", patient(deceasedBoolean=True), True),
    ("deceased=false", patient(deceasedBoolean=False), True),
    ("deceased=false", patient(), True),
    ("deceased=true", patient(), False),
    ("_id=1", patient(), True),
    ("_id=1,2", patient(), True),
    ("_id=A", patient(id="a"), False),
    ("_tag=http://acme.org/codes|needs-review", patient(meta={"tag": [{"system": "http://acme.org/codes", "code": "needs-review"}]}), True),
]  # fmt: skip
DATE = [
    # Prefixes, eq: 14 January 2013 finds both the midnight it begins with and ten in the morning, not the next midnight
    ("date=eq2013-01-14", appointment(start="2013-01-14T00:00:00Z"), True),
    ("date=eq2013-01-14", appointment(start="2013-01-14T10:00:00Z"), True),
    ("date=eq2013-01-14", appointment(start="2013-01-15T00:00:00Z"), False),
    # Prefixes, ne: the other way round
    ("date=ne2013-01-14", appointment(start="2013-01-15T00:00:00Z"), True),
    ("date=ne2013-01-14", appointment(start="2013-01-14T00:00:00Z"), False),
    ("date=ne2013-01-14", appointment(start="2013-01-14T10:00:00Z"), False),
    # Prefixes, lt: a whole day is found, for the part of it before ten in the morning
    ("date=lt2013-01-14T10:00", observation(effectiveDateTime="2013-01-14"), True),
    # Prefixes, gt: a whole day is found, for the part of it after ten in the morning
    ("date=gt2013-01-14T10:00", observation(effectiveDateTime="2013-01-14"), True),
    # "ge2013-03-14: "from 21-Jan 2013 onwards" is included because that period may include times after 14-Mar 2013"
    ("date=ge2013-03-14", observation(effectivePeriod={"start": "2013-01-21"}), True),
    # "le2013-03-14: "from 21-Jan 2013 onwards" is included because that period may include times before 14-Mar 2013"
    ("date=le2013-03-14", observation(effectivePeriod={"start": "2013-01-21"}), True),
    # "sa2013-03-14: "from 15-Mar 2013 onwards" is included because that period starts after 14-Mar 2013;
    #  "from 21-Jan 2013 onwards" is not included because that period starts before 14-Mar 2013;
    #  "before and including 21-Jan 2013" is not included because that period starts (and ends) before 14-Mar 2013"
    ("date=sa2013-03-14", observation(effectivePeriod={"start": "2013-03-15"}), True),
    ("date=sa2013-03-14", observation(effectivePeriod={"start": "2013-01-21"}), False),
    ("date=sa2013-03-14", observation(effectivePeriod={"end": "2013-01-21"}), False),
    # "eb2013-03-14: "from 15-Mar 2013 onwards" is not included because that period starts after 14-Mar 2013;
    #  "from 21-Jan 2013 onwards" is not included because that period starts before 14-Mar 2013, but does not end before it;
    #  "before and including 21-Jan 2013" is included because that period ends before 14-Mar 2013"
    ("date=eb2013-03-14", observation(effectivePeriod={"start": "2013-03-15"}), False),
    ("date=eb2013-03-14", observation(effectivePeriod={"start": "2013-01-21"}), False),
    ("date=eb2013-03-14", observation(effectivePeriod={"end": "2013-01-21"}), True),
    # "ap2013-03-14: 14-Mar 2013 is included, as are dates near it"; a tenth of the time until now is here more than a year
    ("date=ap2013-03-14", observation(effectiveDateTime="2013-03-14"), True),
    ("date=ap2013-03-14", observation(effectiveDateTime="2013-01-21"), True),
    ("date=ap2013-03-14", observation(effectiveDateTime="2015-06-15"), False),
    # "A search for a Timing ... only the outer limits matter. a schedule that specifies every second day between 31-Jan 2013 and 24-Mar
    #  2013 includes 1-Feb 2013, even though that is on a day that is not specified by the period"
    ("date=ap2013-02-01", observation(effectiveTiming={"repeat": {"boundsPeriod": {"start": "2013-01-31", "end": "2013-03-24"}}}), True),
    ("date=gt2013-03-24", observation(effectiveTiming={"event": ["2013-01-31", "2013-03-25"]}), True),
    ("date=gt2013-03-25", observation(effectiveTiming={"event": ["2013-01-31", "2013-03-25"]}), False),
    # "birthdate=gt2005-01-01&birthdate=lt2006" : several criteria on one date
    ("birthdate=ge2010-01-01&birthdate=le2011-12-31", patient(birthDate="2011-12-31"), True),
    ("birthdate=ge2010-01-01&birthdate=le2011-12-31", patient(birthDate="2012-01-01"), False),
    ("birthdate=1970", patient(birthDate="1970-06-15"), True),
    ("birthdate=1970-06-15", patient(birthDate="1970"), False),
    ("birthdate=lt1970-06-15", patient(birthDate="1970"), True),
    ("death-date:missing=true", patient(deceasedBoolean=True), True),
]  # fmt: skip
ZONES = [
    # "When the date has a time zone ... otherwise the server's": 23:30 in New York is the next day in UTC
    ("date=2026-01-14", "2026-01-15T04:30:00Z", True),
    ("date=2026-01-14", "2026-01-14T23:30:00-05:00", True),
    ("date=2026-01-15", "2026-01-15T04:30:00Z", False),
    ("date=2026-01-14T23:30", "2026-01-15T04:30:00Z", True),
    ("date=2026-01-15T04:30Z", "2026-01-14T23:30:00-05:00", True),
    # days on which clocks change have 23 and 25 hours
    ("date=2026-03-08", "2026-03-09T03:59:59Z", True),
    ("date=2026-03-08", "2026-03-09T04:00:00Z", False),
    ("date=2026-11-01", "2026-11-02T04:59:59Z", True),
    ("date=2026-11-01", "2026-11-02T05:00:00Z", False),
]
PARTICIPANTS = [{"actor": {"reference": "Patient/1"}}, {"actor": {"reference": "Location/2"}}]
REQUEST = {"resourceType": "ServiceRequest", "instantiatesCanonical": ["http://acme.org/p|2"]}
REFERENCE = [
    ("subject=Patient/23", observation(subject={"reference": "Patient/23"}), True),
    ("subject=23", observation(subject={"reference": "Patient/23"}), True),
    ("subject=23", observation(subject={"reference": "Device/23"}), True),
    ("subject:Patient=23", observation(subject={"reference": "Patient/23"}), True),
    ("subject:Patient=23", observation(subject={"reference": "Device/23"}), False),
    (f"subject={BASE}/Patient/23", observation(subject={"reference": "Patient/23"}), True),
    ("subject=Patient/23", observation(subject={"reference": f"{BASE}/Patient/23"}), True),
    ("subject=Patient/23", observation(subject={"reference": "Patient/23/_history/2"}), True),
    ("subject=http://elsewhere.example/Patient/23", observation(subject={"reference": "http://elsewhere.example/Patient/23"}), True),
    ("subject=Patient/23", observation(subject={"reference": "http://elsewhere.example/Patient/23"}), False),
    ("subject=Patient/23", observation(subject={"reference": "Patient/24"}), False),
    ("patient=23", observation(subject={"reference": "Patient/23"}), True),
    ("patient=23", observation(subject={"reference": "Device/23"}), False),
    ("subject:identifier=http://a.org|123", observation(subject={"identifier": {"system": "http://a.org", "value": "123"}}), True),
    ("subject:identifier=http://a.org|123", observation(subject={"reference": "Patient/123"}), False),
    ("patient=1", appointment(participant=PARTICIPANTS), True),
    ("location=1", appointment(participant=PARTICIPANTS), False),
    ("actor=Location/2", appointment(participant=PARTICIPANTS), True),
    # Canonical addresses: with a version that one, without any
    ("instantiates-canonical=http://acme.org/p", REQUEST, True),
    ("instantiates-canonical=http://acme.org/p\\|2", REQUEST, True),
    ("instantiates-canonical=http://acme.org/p|2", REQUEST, True),
    ("instantiates-canonical=http://acme.org/p|3", REQUEST, False),
]  # fmt: skip
QUANTITY = [
    # Quantity: the five examples of the section
    ("value-quantity=5.4|http://unitsofmeasure.org|mg", 5.4, "mg", True),
    ("value-quantity=5.40e-3|http://unitsofmeasure.org|g", 0.0054, "g", True),
    ("value-quantity=5.4|http://unitsofmeasure.org|g", 5.4, "mg", False),
    ("value-quantity=5.4||mg", 5.4, "mg", True),
    ("value-quantity=5.4", 5.4, "mg", True),
    ("value-quantity=5.4", 5.449, "mg", True),
    ("value-quantity=5.4", 5.45, "mg", False),
    ("value-quantity=5.4", 5.35, "mg", True),
    ("value-quantity=le5.4|http://unitsofmeasure.org|mg", 5.4, "mg", True),
    ("value-quantity=lt5.4|http://unitsofmeasure.org|mg", 5.4, "mg", False),
    ("value-quantity=ap5.4|http://unitsofmeasure.org|mg", 5.9, "mg", True),
    ("value-quantity=ap5.4|http://unitsofmeasure.org|mg", 6.0, "mg", False),
    # number: "100: values in the range [99.5 ... 100.5)", "100.00: [99.995 ... 100.005)", "1e2: [95 ... 105)"
    ("value-quantity=100", 99.5, "mg", True),
    ("value-quantity=100", 100.5, "mg", False),
    ("value-quantity=100.00", 99.5, "mg", False),
    ("value-quantity=100.00", 99.995, "mg", True),
    ("value-quantity=1e2", 95, "mg", True),
    ("value-quantity=1e2", 105, "mg", False),
    # Number: comparisons take 100 exactly, ne takes its range
    ("value-quantity=lt100", 99.9, "mg", True),
    ("value-quantity=gt100", 100.1, "mg", True),
    ("value-quantity=ge100", 100, "mg", True),
    ("value-quantity=ne100", 100, "mg", False),
    ("value-quantity=ne100", 100.5, "mg", True),
    ("value-quantity=sa100", 100, "mg", False),
    ("value-quantity=eb100", 99, "mg", True),
]
URI = [
    ("url=http://acme.org/fhir/ValueSet/123", "http://acme.org/fhir/ValueSet/123", True),
    ("url=http://acme.org/fhir/ValueSet/123", "http://acme.org/fhir/valueset/123", False),
    ("url:below=http://acme.org/fhir/", "http://acme.org/fhir/ValueSet/123", True),
    ("url:below=http://acme.org/fhir/ValueSet/123", "http://acme.org/fhir/ValueSet/1234", False),
    ("url:above=http://acme.org/fhir/ValueSet/123/_history/5", "http://acme.org/fhir/ValueSet/123", True),
    ("url:above=http://acme.org/fhir/ValueSet/123/_history/5", "http://acme.org/other", False),
    ("url=urn:oid:1.2.3.4.5", "urn:oid:1.2.3.4.5", True),
    ("url:below=urn:oid:1.2.3", "urn:oid:1.2.3/4", False),
]
MISSING = [
    ("gender:missing=true", patient(), True),
    ("gender:missing=true", patient(gender="male"), False),
    ("gender:missing=false", patient(gender="male"), True),
    ("gender:missing=false", patient(), False),
    ("patient:missing=true", observation(subject={"reference": "Device/1"}), True),
    ("_lastUpdated:missing=false", patient(meta={"lastUpdated": "2026-01-01T00:00:00Z"}), True),
]
SEVERAL = [
    # Multiple values: "language=FR,NL" is OR, "language=FR&language=NL" is AND
    ("language=FR,NL", ["fr"], True),
    ("language=FR,NL", ["en"], False),
    ("language=FR&language=NL", ["fr"], False),
    ("language=FR&language=NL", ["fr", "nl"], True),
]
ESCAPES = [
    ("family=Doe\\, Jane", "Doe, Jane", True),
    ("family=Doe\\, Jane", "Doe", False),
    ("family=Doe, Jane", "Jane", True),
    ("family=a\\\\b", "a\\b", True),
    ("family=a\\$b", "a$b", True),
    ("family=a\\|b", "a|b", True),
    ("family=a\\b", "a\\b", True),
]


@pytest.mark.parametrize(("query", "resource", "is_wanted"), STRING)
def test_string(query: str, resource: Json, is_wanted: bool) -> None:
    assert is_found(query, resource) == is_wanted


@pytest.mark.parametrize(("query", "resource", "is_wanted"), TOKEN)
def test_token(query: str, resource: Json, is_wanted: bool) -> None:
    assert is_found(query, resource) == is_wanted


@pytest.mark.parametrize(("query", "resource", "is_wanted"), DATE)
def test_date_and_prefixes(query: str, resource: Json, is_wanted: bool) -> None:
    assert is_found(query, resource) == is_wanted


@pytest.mark.parametrize(("query", "start", "is_wanted"), ZONES)
def test_date_without_a_zone_is_of_the_server(query: str, start: str, is_wanted: bool) -> None:
    assert is_found(query, appointment(start=start), NEW_YORK) == is_wanted


@pytest.mark.parametrize(("query", "resource", "is_wanted"), REFERENCE)
def test_reference(query: str, resource: Json, is_wanted: bool) -> None:
    assert is_found(query, resource) == is_wanted


@pytest.mark.parametrize(("query", "number", "unit", "is_wanted"), QUANTITY)
def test_number_and_quantity(query: str, number: float, unit: str, is_wanted: bool) -> None:
    value = {"value": number, "system": "http://unitsofmeasure.org", "code": unit}
    assert is_found(query, observation(valueQuantity=value)) == is_wanted


@pytest.mark.parametrize(("query", "url", "is_wanted"), URI)
def test_uri(query: str, url: str, is_wanted: bool) -> None:
    assert is_found(query, {"resourceType": "Device", "id": "1", "url": url}) == is_wanted


@pytest.mark.parametrize(("query", "resource", "is_wanted"), MISSING)
def test_missing_data(query: str, resource: Json, is_wanted: bool) -> None:
    assert is_found(query, resource) == is_wanted


@pytest.mark.parametrize(("query", "languages", "is_wanted"), SEVERAL)
def test_several_values(query: str, languages: list[str], is_wanted: bool) -> None:
    spoken = [{"language": {"coding": [{"code": code}]}} for code in languages]
    assert is_found(query, patient(communication=spoken)) == is_wanted


@pytest.mark.parametrize(("query", "family", "is_wanted"), ESCAPES)
def test_escaping(query: str, family: str, is_wanted: bool) -> None:
    assert is_found(query, patient(name=[{"family": family}])) == is_wanted


def test_a_quantity_below_a_limit_may_be_any_number_under_it() -> None:
    little = observation(valueQuantity={"value": 5, "comparator": "<"})
    assert is_found("value-quantity=lt2", little)
    assert not is_found("value-quantity=gt5", little)


PRESSURE = observation(
    code={"coding": [{"system": "http://loinc.org", "code": "85354-9"}]},
    component=[
        {"code": {"coding": [{"system": "http://loinc.org", "code": "8480-6"}]}, "valueQuantity": {"value": 107}},
        {"code": {"coding": [{"system": "http://loinc.org", "code": "8462-4"}]}, "valueQuantity": {"value": 60}},
    ],
)


@pytest.mark.parametrize(
    ("query", "is_wanted"),
    [
        ("component-code-value-quantity=http://loinc.org|8480-6$lt110", True),
        ("component-code-value-quantity=http://loinc.org|8480-6$60", False),
        ("combo-code-value-quantity=8462-4$60", True),
        ("combo-code-value-quantity=85354-9$60", False),
        ("code-value-quantity=8480-6$107", False),
        ("component-code-value-quantity=8480-6$60,8462-4$60", True),
    ],
)
def test_composite_parts_are_met_by_one_element(query: str, is_wanted: bool) -> None:
    assert is_found(query, PRESSURE) == is_wanted


@pytest.mark.parametrize(
    ("query", "is_wanted"),
    [
        ("near=42.2|-83.7|11|km", True),
        ("near=42.2|-83.7", True),
        ("near=43.2|-83.7|11|km", False),
        ("near=43.2|-83.7|120|km", True),
        ("near=43.2|-83.7|70|[mi_us]", True),
        ("near=43.2|-83.7|11|km,42.2|-83.7|11|km", True),
    ],
)
def test_near_a_place(query: str, is_wanted: bool) -> None:
    clinic = {"resourceType": "Location", "id": "1", "position": {"latitude": 42.256, "longitude": -83.694}}
    assert is_found(query, clinic) == is_wanted
    assert not is_found(query, {"resourceType": "Location", "id": "2"})


@pytest.mark.parametrize(
    "query",
    [
        "birthdate=yesterday", "birthdate=2013-13-01", "birthdate=2013-02-30", "birthdate=gt", "birthdate=2013-01-14T25:00", "birthdate=13",
        "birthdate=eqgt2013", "gender:missing=maybe", "identifier=a|b|c", "identifier=|", "identifier:of-type=a|b", "_id=1,,2",
        "name=   ", "organization=a b", "birthdate=0000-01-01", "birthdate=9999-12-31T23:59:59-10:00",
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused_by_name_and_without_its_value(query: str) -> None:
    with pytest.raises(BadValue) as refused:
        search("Patient", query, strict=False)
    assert refused.value.facts == {"parameter": query.partition("=")[0].partition(":")[0]}
    assert query.partition("=")[2] not in str(refused.value)


@pytest.mark.parametrize(
    "query", ["value-quantity=x", "value-quantity=1e999", "value-quantity=1|2|3|4", f"value-quantity={'1' * 50}", "code-value-quantity=a"]
)
def test_numbers_have_their_limits(query: str) -> None:
    with pytest.raises(BadValue):
        search("Observation", query)


@pytest.mark.parametrize(
    "query", ["near=91|0", "near=a|b", "near=1", "near=1|2|3|furlong", "near=nan|0", "near=0|0|-1|km", "near=1|2|3|km|5"]
)
def test_near_takes_places_on_the_earth(query: str) -> None:
    with pytest.raises(BadValue):
        search("Location", query)


@pytest.mark.parametrize(
    "query",
    [
        "gender:exact=male", "name:not=a", "birthdate:exact=2013", "gender:in=http://vs", "gender:above=a", "organization:Patient=1",
        "organization:below=1", "_id:anything=1", "_count:not=1",
    ],
)  # fmt: skip
def test_a_modifier_that_is_not_served_is_refused_always(query: str) -> None:
    with pytest.raises(UnsupportedModifier):
        search("Patient", query, strict=False)


def test_the_first_and_the_last_year_can_be_asked_for() -> None:
    assert is_found("birthdate=0001", patient(birthDate="0001-01-01"), NEW_YORK)
    assert is_found("birthdate=9999", patient(birthDate="9999-12-31"), NEW_YORK)
    assert is_found("birthdate=ap0001", patient(birthDate="0001-01-01"))
    assert is_found("birthdate=ap9999", patient(birthDate="9999-12-31"))


def test_a_refusal_is_one_of_searching() -> None:
    assert issubclass(BadValue, SearchRefused)
    assert BadValue.of("no name\nat all").facts == {"parameter": ""}
