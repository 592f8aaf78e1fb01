"""`carewright keys rotate`, `patient erase` and `keys shred` as commands, against a server at work; a rotation is killed in the middle."""

from collections.abc import AsyncIterator
from pathlib import Path
from uuid import UUID

import asyncpg
import pytest

from carewright.kernel.privacy.aead import aead_of
from carewright.kernel.privacy.cipher import FieldCipher, SealedElsewhere
from carewright.kernel.privacy.kek import FileKey, KeyPlace, WrongKey
from carewright.roles.keys import FIELD_KEY_FILE
from tests.at_work import FAST, Work, killed, said
from tests.clinic import ok, open_clinic, register
from tests.system import TINY, System, own_folder, started

RECORD = "SELECT person FROM patients.patient WHERE organization_id = $1 AND id = $2"
KEYS = "SELECT purpose, version, wrapped FROM kernel.keyset WHERE organization_id = $1 AND wrapped IS NOT NULL"
VERSIONS = "SELECT DISTINCT get_byte(person, 2) FROM patients.patient WHERE organization_id = $1"
WORDS = "SELECT count(*) FROM scheduling.appointment WHERE patient_id = $1 AND (note IS NOT NULL OR private IS NOT NULL)"


@pytest.fixture(scope="module")
async def system() -> AsyncIterator[System]:
    with own_folder() as folder:
        async with started(folder / "data", *TINY, environ=FAST) as running:
            yield running


@pytest.fixture(scope="module")
async def database(system: System) -> AsyncIterator["asyncpg.Connection[asyncpg.Record]"]:
    connection = await asyncpg.connect(system.known.database_url)
    yield connection
    await connection.close()


async def cipher_of(key_file: bytes, rows: "list[asyncpg.Record]", organization_id: UUID) -> FieldCipher:
    """What somebody has who took the key file and a dump of the keys. Raises `WrongKey`."""
    service = FileKey(key_file)
    unwrapped = {
        (row["purpose"], row["version"]): await service.unwrap(
            row["wrapped"], KeyPlace(organization_id, row["purpose"], row["version"])
        )
        for row in rows
    }  # fmt: skip
    assert {purpose for purpose, _ in unwrapped} == {"field", "index"}
    fields = {version: aead_of(key) for (purpose, version), key in unwrapped.items() if purpose == "field"}
    return FieldCipher(organization_id, fields, max(fields), b"")


def file_of(system: System) -> Path:
    return system.data / FIELD_KEY_FILE


def content(path: Path) -> bytes:
    return path.read_bytes()


async def test_keys_are_rotated_and_a_patient_erased_and_shredded_while_everybody_works(
    system: System, database: "asyncpg.Connection[asyncpg.Record]"
) -> None:
    clinic = await open_clinic(system)
    organization_id = system.known.organization_id
    assert organization_id is not None
    stays, goes = await register(system), await register(system, "Quokkaline")
    appointment = ok(await clinic.book(goes, (await clinic.free())[0], note="afraid of needles", based_on="Dr. Numbat"), 201)
    assert await database.fetchval(WORDS, goes) == 1
    record, keys = await database.fetchval(RECORD, organization_id, goes), await database.fetch(KEYS, organization_id)
    old_file = content(file_of(system))
    backup = await cipher_of(old_file, keys, organization_id)
    place = ("patients.patient", "person", goes)
    assert b"Quokkaline" in backup.open_(*place, record), "the backup can be read, with the key file of its time"

    work = Work(clinic, stays)
    await killed(system, "keys", "rotate", after="rows sealed anew")
    assert "rows sealed anew" in await said(system, "keys", "rotate")
    assert [row[0] for row in await database.fetch(VERSIONS, organization_id)] == [2]
    await said(system, "patient", "erase", str(goes), "--reason", "Asked for it by letter", "--yes")
    await said(system, "keys", "shred", "--yes")
    assert await work.stop() > 5

    assert (await system.request("front-desk", "GET", f"/api/v1/patients/{goes}")).status_code == 404
    assert (await clinic.appointment(appointment["id"]))["start"] == appointment["start"]
    assert await database.fetchval(WORDS, goes) == 0
    new_file, live = content(file_of(system)), await database.fetch(KEYS, organization_id)
    with pytest.raises(WrongKey):
        await cipher_of(new_file, keys, organization_id)
    today = await cipher_of(new_file, live, organization_id)
    with pytest.raises(SealedElsewhere):
        today.open_(*place, record)
    assert "0 findings" in await said(system, "audit", "verify")
    assert "0 findings" in await said(system, "verify")
