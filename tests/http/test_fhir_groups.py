"""Groups of patients through FHIR: written and read by other systems, searched, and kept free of who is no patient here."""

from typing import Any
from uuid import UUID, uuid4

import httpx
import pytest

from carewright.contracts.groups import MEMBERS_MAX
from carewright.contracts.permissions import ROLES
from carewright.fhir.model.validating import issues_of
from carewright.fhir.store import r4_definitions
from tests.clinic import Clinic, Json, ok, register
from tests.fhir_asking import FHIR, outcome
from tests.http.test_fhir_writes import named
from tests.other_system import ask, registered, use

GROUPS = f"{FHIR}/Group"
SYSTEM = "urn:test:lists"


def group(*patients: UUID | str, **changes: Any) -> Json:
    members = [{"entity": {"reference": f"Patient/{each}"}} for each in patients]
    made = {
        "resourceType": "Group", "type": "person", "actual": True, "name": "Wombat trial", "active": True,
        "identifier": [{"system": SYSTEM, "value": str(uuid4())}],
    }  # fmt: skip
    return made | ({"member": members} if members else {}) | changes


async def send(clinic: Clinic, method: str, sent: Json, role: str = "integration", **headers: str) -> httpx.Response:
    path = f"{GROUPS}/{sent['id']}" if method == "PUT" else GROUPS
    return await clinic.system.request(role, method, path, json=sent, headers=named(headers))


async def made(clinic: Clinic, *patients: UUID, **changes: Any) -> Json:
    answer: Json = ok(await send(clinic, "POST", group(*patients, **changes)), 201)
    return answer


async def found(clinic: Clinic, query: str) -> set[str]:
    bundle = ok(await clinic.system.request("integration", "GET", f"{GROUPS}?{query}"))
    return {one["resource"]["id"] for one in bundle.get("entry", ()) if one["resource"]["resourceType"] == "Group"}


def members_of(one: Json) -> set[str]:
    return {each["entity"]["reference"].partition("/")[2] for each in one.get("member", ())}


@pytest.mark.requirement("R4.write")
async def test_a_group_is_created_changed_patched_and_deleted(clinic: Clinic) -> None:
    """FHIR R4 http.html: create with ETag, update with If-Match, JSON Patch, delete."""
    first, second = await register(clinic.system), await register(clinic.system)
    sent = group(first, first)
    created = await send(clinic, "POST", sent)
    one = ok(created, 201)
    assert created.headers["etag"] == 'W/"1"'
    assert {name: one[name] for name in sent if name != "member"} == {name: sent[name] for name in sent if name != "member"}
    assert (members_of(one), one["quantity"]) == ({str(first)}, 1), "each once"
    assert [each for each in issues_of(r4_definitions(), one) if each.severity == "error"] == []
    outcome(await send(clinic, "PUT", one | {"name": "Other"}, if_match='W/"9"'), 412, "kernel.precondition_failed")
    assert ok(await send(clinic, "PUT", one))["meta"]["versionId"] == "1", "the same again changes nothing"
    patch = [{"op": "add", "path": "/member/-", "value": {"entity": {"reference": f"Patient/{second}"}}}]
    patched = ok(await clinic.system.request("integration", "PATCH", f"{GROUPS}/{one['id']}", json=patch))
    assert (members_of(patched), patched["meta"]["versionId"]) == ({str(first), str(second)}, "2")
    without = ok(await send(clinic, "PUT", {name: value for name, value in patched.items() if name not in ("member", "identifier")}))
    assert (members_of(without), without.get("identifier")) == (set(), None), "what a PUT leaves out is gone"
    ok(await clinic.system.request("integration", "DELETE", f"{GROUPS}/{one['id']}"))
    for method in ("GET", "DELETE"):
        outcome(await clinic.system.request("integration", method, f"{GROUPS}/{one['id']}"), 404, "groups.unknown_group")


async def test_groups_are_found_by_id_identifier_and_member(clinic: Clinic) -> None:
    patient = await register(clinic.system)
    mine, other = await made(clinic, patient), await made(clinic, await register(clinic.system))
    number = f"{SYSTEM}|{mine['identifier'][0]['value']}"
    for query in (f"_id={mine['id']}", f"identifier={number}", f"member=Patient/{patient}", f"member=Patient/{patient}&type=person"):
        assert await found(clinic, query) == {mine["id"]}, query
    assert await found(clinic, "actual=true") >= {mine["id"], other["id"]}
    assert await found(clinic, f"identifier={mine['identifier'][0]['value']}") == {mine["id"]}, "without its system too"
    for query in (f"member=Patient/{uuid4()}", f"identifier={SYSTEM}|none", "_id=1", f"member=Patient/{patient}&actual=false"):
        assert await found(clinic, query) == set(), query


@pytest.mark.parametrize(
    ("changes", "expression"),
    [
        ({"type": "device"}, "Group.type"),
        ({"actual": False}, "Group.actual"),
        ({"characteristic": [{"code": {"text": "x"}, "valueBoolean": True, "exclude": False}]}, "Group.characteristic"),
        ({"identifier": [{"value": "7"}]}, "Group.identifier"),
        ({"name": "x" * 201}, "Group.name"),
        ({"member": [{"entity": {"reference": "Practitioner/1"}}]}, "Group.member[0].entity"),
        ({"member": [{"entity": {"display": "Somebody"}}]}, "Group.member[0].entity"),
        ({"member": [{"entity": {"reference": "Patient/1"}}]}, "Group.member[0].entity.reference"),
        ({"member": [{"entity": {"reference": f"Patient/{uuid4()}"}, "inactive": True}]}, "Group.member[0]"),
        ({"member": [{"entity": {"reference": f"Patient/{uuid4()}"}, "period": {"end": "2026-12-01"}}]}, "Group.member[0]"),
        ({"member": [{"entity": {"reference": f"Patient/{uuid4()}"}}]}, "Group.member"),
    ],
)
async def test_what_cannot_be_kept_is_refused_by_its_place(clinic: Clinic, changes: Json, expression: str) -> None:
    answer = await send(clinic, "POST", group() | changes)
    assert (answer.status_code, answer.json()["issue"][0]["expression"]) == (422, [expression]), answer.text


async def test_an_identifier_is_one_groups_and_what_has_no_place_is_named(clinic: Clinic) -> None:
    one = await made(clinic, await register(clinic.system))
    outcome(await send(clinic, "POST", group(identifier=one["identifier"])), 422, "groups.invalid_group")
    named_too = [{"entity": {"reference": f"Patient/{await register(clinic.system)}", "display": "Wombat"}}]
    answer = await send(clinic, "POST", group(member=named_too, code={"text": "x"}), prefer="return=OperationOutcome")
    told = {each for issue in answer.json()["issue"] for each in issue.get("expression", ())}
    assert told == {"Group.member.entity.display", "Group.code"}


async def test_a_group_has_ten_thousand_members_and_not_one_more(clinic: Clinic) -> None:
    """As many as there is room for; they are read and patched as they are."""
    members = [{"entity": {"reference": f"Patient/{UUID(int=number)}"}} for number in range(MEMBERS_MAX + 1)]
    too_many = await send(clinic, "POST", group(member=members))
    assert too_many.json()["issue"][0]["expression"] == ["Group.member"]
    assert "10,000" in too_many.text
    unknown = await send(clinic, "POST", group(member=members[:-1]))
    assert (unknown.status_code, unknown.json()["issue"][0]["expression"]) == (422, ["Group.member"])


@pytest.mark.parametrize("role", sorted(set(ROLES) - {"integration"}))
async def test_no_person_reads_or_writes_groups(clinic: Clinic, role: str) -> None:
    outcome(await send(clinic, "POST", group(), role), 403, "kernel.forbidden")
    outcome(await clinic.system.request(role, "GET", f"{GROUPS}?actual=true"), 403, "kernel.forbidden")


@pytest.mark.requirement("SMART.4")
async def test_scopes_say_what_is_done_with_groups(clinic: Clinic, tmp_path_factory: pytest.TempPathFactory) -> None:
    """SMART App Launch 2.2: `c` creates, `d` deletes, `rs` reads and searches."""
    one = await made(clinic)
    tokens = {}
    for letters in ("rs", "cd"):
        client = await registered(clinic.system, tmp_path_factory.mktemp("keys"), f"system/Group.{letters}")
        tokens[letters] = ok(await ask(clinic.system, client, str(uuid4()), f"system/Group.{letters}"))["access_token"]
    path = f"{GROUPS}/{one['id']}"
    ok(await use(clinic.system, tokens["rs"], path))
    outcome(await use(clinic.system, tokens["cd"], path), 403, "smart.scope_missing")
    outcome(await use(clinic.system, tokens["rs"], path, "DELETE"), 403, "smart.scope_missing")
    ok(await use(clinic.system, tokens["cd"], path, "DELETE"))
