"""A patient made of words that occur nowhere else. None of them may lie open anywhere: table, file, log, figure, address or refusal."""

import asyncio
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import asyncpg
import httpx
import pytest

from tests.clinic import Clinic, Json, at, ok
from tests.system import log_of

WORDS = (
    "Quokkaline", "Zyxwella", "1903-07-19", "2025550176", "wombatish@canary.example", "CANARYMRN77120845", "urn:canary:dingoly",
    "numbatty-note", "bilbying-referral", "pademelon-override", "bettong-block",
    "potoroo-cancelled",
)  # fmt: skip
PATIENT: Json = {
    "family": "Quokkaline", "given": ["Zyxwella"], "birth_on": "1903-07-19",
    "telecom": [{"system": "phone", "value": "2025550176"}, {"system": "email", "value": "wombatish@canary.example"}],
    "identifiers": [{"system": "urn:canary:dingoly", "value": "CANARYMRN77120845"}],
}  # fmt: skip
TABLES = """
SELECT quote_ident(schemaname) || '.' || quote_ident(tablename) FROM pg_tables WHERE schemaname NOT IN ('pg_catalog', 'information_schema')
"""


@pytest.fixture(scope="module")
async def answers(clinic: Clinic) -> list[httpx.Response]:
    """What the canary's life in the system was answered, refusals included."""
    system = clinic.system
    patients, found = "/api/v1/patients", "/api/v1/patients/find"

    async def ask(method: str, path: str, body: Any, role: str = "front-desk", **more: Any) -> httpx.Response:
        answer = await system.request(role, method, path, json=body, **more)
        heard.append(answer)
        return answer

    heard: list[httpx.Response] = []
    patient = ok(await ask("POST", patients, PATIENT, key="canary"), 201)["id"]
    ok(await ask("POST", patients, PATIENT, key="canary"), 201)
    assert (await ask("POST", patients, PATIENT)).status_code == 422, "another carries the identifier"
    assert (await ask("POST", patients, PATIENT | {"birth_on": "1850-01-01"})).status_code == 422
    assert (await ask("POST", patients, PATIENT | {"given": [["Zyxwella"]]})).status_code == 400
    assert (await ask("POST", patients, PATIENT | {"family": "Quokkaline" * 11})).status_code == 400
    assert (await ask("POST", found, PATIENT)).status_code == 400
    for query in ({"family": "quokka", "birth_on": "1903-07-19"}, {"family": "Kuokalin", "given": "Zyx", "sounds_like": True}):
        assert [each["id"] for each in ok(await ask("POST", found, query))["items"]] == [patient]
    free = await clinic.free()
    booked = {"patient_id": patient, "note": "numbatty-note", "based_on": "bilbying-referral"}
    appointment = ok(await ask("POST", "/api/v1/appointments", booked | {"time": clinic.picked(free[0])}, key="canary-2"), 201)
    assert appointment["based_on"] == "bilbying-referral"
    assert (await ask("POST", "/api/v1/appointments", booked | {"time": clinic.picked(free[0])})).status_code == 409
    override = booked | {"time": clinic.picked(free[2]), "override": {"reason": "pademelon-override"}}
    overridden = ok(await ask("POST", "/api/v1/appointments", override, role="scheduler"), 201)
    assert (await clinic.appointment(overridden["id"]))["override_reason"] == "pademelon-override"
    block = {"start": free[1], "end": at(free[1], minutes=30), "reason": "bettong-block"}
    assert (await ask("POST", f"/api/v1/schedules/{clinic.practitioner_id}/blocks", block, role="scheduler")).is_success
    cancelled = f"/api/v1/appointments/{overridden['id']}/cancel"
    ok(await ask("POST", cancelled, {"reason": "potoroo-cancelled"}, key="canary-3"))
    assert (await clinic.appointment(overridden["id"]))["cancelation_reason"] == "potoroo-cancelled"
    return heard


@pytest.mark.usefixtures("answers")
async def test_no_table_holds_a_word_of_it(database: "asyncpg.Connection[asyncpg.Record]") -> None:
    seen: list[str] = []
    for (table,) in await database.fetch(TABLES):
        rows = await database.fetch(f"SELECT t::text AS row FROM {table} t")  # noqa: S608  (names from pg_tables)
        seen += [f"{table}: {word}" for word in found_in("\n".join(row["row"] for row in rows))]
    assert seen == []


@pytest.mark.usefixtures("answers")
async def test_no_file_of_the_installation_and_no_log_holds_a_word_of_it(
    clinic: Clinic, database: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    """The database's own files and its write-ahead log are among them."""
    await database.execute("CHECKPOINT")
    await asyncio.sleep(1)
    data = clinic.system.data
    looked_at = [path for path in (log_of(data), *data.rglob("*")) if path.is_file()]
    assert len(looked_at) > 100
    assert [f"{path.name}: {word}" for path in looked_at for word in words_in_file(path)] == []


async def test_no_refusal_and_no_address_holds_a_word_of_it(answers: list[httpx.Response]) -> None:
    refusals = [answer for answer in answers if answer.is_error]
    assert len(refusals) >= 5
    assert [word for answer in refusals for word in found_in(answer.text)] == []
    assert [word for answer in answers for word in found_in(f"{answer.request.url} {answer.headers}")] == []


@pytest.mark.usefixtures("answers")
async def test_no_figure_holds_a_word_of_it(clinic: Clinic) -> None:
    for address in clinic.system.addresses.values():
        figures = (await clinic.system.client.get(f"{address}/metrics")).text
        assert "carewright_query_seconds" in figures
        assert list(found_in(figures)) == []


def test_the_search_finds_what_it_looks_for() -> None:
    for word in WORDS:
        assert list(found_in(f"x{word.upper()}x")) == [word]
        assert list(found_in(f"\\x00{word.encode().hex()}")) == [word], "bytes are shown in hexadecimal digits"


def found_in(text: str) -> Iterator[str]:
    """The canary's words in a text, however written."""
    small = text.lower()
    return (word for word in WORDS if word.lower() in small or word.encode().hex() in small)


def words_in_file(path: Path) -> Iterator[str]:
    content = path.read_bytes().lower()
    return (word for word in WORDS if word.lower().encode() in content)
