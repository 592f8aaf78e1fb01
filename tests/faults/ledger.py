"""What the database says after a shift, held against what the clients were told. The statements are the tests' own."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec

from carewright.kernel.clock import SystemClock
from carewright.kernel.db import Database
from carewright.kernel.idempotency import TABLE
from carewright.kernel.privacy.cipher import FieldCipher
from carewright.kernel.privacy.kek import FileKey
from carewright.kernel.privacy.vault import Vault
from carewright.roles.keys import FIELD_KEY_FILE
from tests.faults.load import Deed, Shift
from tests.keys import FOR_EVER
from tests.system import System

FIND = {
    "two claims on one time": """
        SELECT a.appointment_id::text, b.appointment_id::text FROM scheduling.claim a JOIN scheduling.claim b
        ON a.schedule_id = b.schedule_id AND a.lane = b.lane AND a.ctid < b.ctid AND a.starts_at < b.ends_at AND b.starts_at < a.ends_at""",
    "a claim of no appointment, or of one that holds no time": """
        SELECT c.appointment_id::text FROM scheduling.claim c LEFT JOIN scheduling.appointment a ON a.id = c.appointment_id
        WHERE a.id IS NULL OR a.status IN ('cancelled', 'noshow', 'entered-in-error')""",
    "an appointment without all its claims": """
        SELECT a.id::text FROM scheduling.appointment a WHERE a.status IN ('booked', 'pending') AND a.ends_at > now()
        AND (SELECT count(*) FROM scheduling.claim c WHERE c.appointment_id = a.id) <> jsonb_array_length(a.value->'participants')""",
    "a hold that should have run out": "SELECT id::text FROM scheduling.appointment WHERE expires_at < now() - interval '15 seconds'",
    "a parked event": "SELECT topic, reason FROM kernel.dead_letter",
    "a practitioner whose copy differs": """
        SELECT p.id::text, p.version, s.source_version, p.value->>'family', s.display FROM directory.practitioner p
        LEFT JOIN scheduling.schedule s ON s.id = p.id
        WHERE s.id IS NULL OR position(p.value->>'family' IN s.display) = 0 OR s.source_version <> p.version
            + (SELECT coalesce(sum(r.version), 0) FROM directory.practitioner_role r WHERE (r.value->>'practitioner_id')::uuid = p.id)""",
    "a patient whose copy differs": """
        SELECT p.id::text, p.version, s.source_version FROM patients.patient p LEFT JOIN scheduling.patient s ON s.id = p.id
        WHERE s.source_version IS DISTINCT FROM p.version""",
    "an event of another module that was never delivered": """
        SELECT o.topic, o.subject::text FROM kernel.outbox o, kernel.consumer c
        WHERE c.name = 'scheduling' AND o.occurred_at > $1 AND split_part(o.topic, '.', 1) IN ('directory', 'patients')
        AND NOT EXISTS (SELECT FROM kernel.inbox i WHERE i.consumer = c.name AND i.event_id = o.id)""",
    "an appointment with another number of changes than of entries in the journal": """
        SELECT a.id::text, a.version, e.changes FROM (
            SELECT id, version, value FROM scheduling.appointment UNION ALL SELECT id, version, value FROM scheduling.appointment_history) a
        LEFT JOIN (
            SELECT body::jsonb->'entities'->0->>'id' AS id, count(*) AS changes FROM kernel.audit_entry
            WHERE body::jsonb->>'event' LIKE 'scheduling.appointment.%' AND body::jsonb->>'action' IN ('C', 'U') GROUP BY 1
        ) e ON e.id = a.id::text
        WHERE (a.value->>'created_at')::timestamptz > $1 AND e.changes IS DISTINCT FROM a.version""",
    "an entry of a change to an appointment that is not there": """
        SELECT body::jsonb->>'event', body::jsonb->'entities'->0->>'id' FROM kernel.audit_entry
        WHERE body::jsonb->>'event' LIKE 'scheduling.appointment.%' AND body::jsonb->>'action' IN ('C', 'U') AND NOT EXISTS (
            SELECT FROM scheduling.appointment a WHERE a.id::text = body::jsonb->'entities'->0->>'id' UNION ALL
            SELECT FROM scheduling.appointment_history a WHERE a.id::text = body::jsonb->'entities'->0->>'id')""",
    "a patient registered without an entry, or an entry without its patient": """
        SELECT e.patient_id::text, e.body FROM kernel.audit_entry e
        WHERE e.body::jsonb->>'event' = 'patients.patient.register'
        AND NOT EXISTS (SELECT FROM patients.patient p WHERE p.id = e.patient_id)
        UNION ALL
        SELECT o.subject::text, o.topic FROM kernel.outbox o
        WHERE o.topic = 'patients.patient.changed.v1' AND o.occurred_at > $1
        AND NOT EXISTS (SELECT FROM kernel.audit_entry e WHERE e.patient_id = o.subject AND e.body::jsonb->>'action' IN ('C', 'U'))""",
    "an entry that was never sealed": """
        SELECT e.body FROM kernel.audit_entry e, audit.log l
        WHERE (e.xid, e.position) > (l.xid, l.position) AND (e.body::jsonb->>'recorded_at')::timestamptz < now() - interval '15 seconds'""",
    "a seal that covers more or fewer entries than there are": """
        SELECT l.size, count(e.*) FROM audit.log l LEFT JOIN kernel.audit_entry e ON (e.xid, e.position) <= (l.xid, l.position)
        GROUP BY l.size HAVING l.size <> count(e.*)""",
    "a calendar version without its event, or with two": """
        SELECT subject::text, array_agg(version ORDER BY version)::text FROM (
            SELECT subject, (payload->>'calendar_version')::int AS version FROM kernel.outbox WHERE topic = 'scheduling.schedule.changed.v1'
        ) told GROUP BY subject HAVING count(*) <> max(version) - min(version) + 1 OR count(*) <> count(DISTINCT version)""",
}
APPOINTMENTS = """
    SELECT id::text, status, version, value->>'cancelation_reason' AS reason, count(*) OVER (PARTITION BY id) AS copies
    FROM (SELECT * FROM scheduling.appointment UNION ALL SELECT * FROM scheduling.appointment_history) a
    WHERE (value->>'created_at')::timestamptz > $1"""
EVENTS = """
    SELECT subject::text, array_agg((payload->>'version')::int ORDER BY xid, position) AS versions FROM kernel.outbox
    WHERE occurred_at > $1 AND topic LIKE 'scheduling.appointment.%' GROUP BY subject"""
KEYS = "SELECT subject, key, answer FROM kernel.idempotency WHERE key LIKE $1"
DRAINED_SECONDS_MAX = 20


class Ledger:
    """One connection, to look at what is there, and the keys to read what is sealed."""

    def __init__(self, connection: "asyncpg.Connection[asyncpg.Record]", since: Any, cipher: FieldCipher) -> None:
        self._connection = connection
        self._since = since
        self._cipher = cipher

    async def findings(self, shift: Shift) -> list[str]:
        """Everything that should not be, in sentences; nothing when all is well."""
        return [
            *shift.surprises,
            *await self._until_drained(),
            *await self._of_keys(shift),
            *await self._of_appointments(shift),
            *await self._of_names(shift),
        ]

    async def _until_drained(self) -> list[str]:
        """What the statements find. Consumers and timers get a moment to finish."""
        found: list[str] = []
        for _ in range(DRAINED_SECONDS_MAX):
            found = [f"{what}: {tuple(row)}" for what, statement in FIND.items() for row in await self._fetch(statement)]
            if not found:
                break
            await asyncio.sleep(1)
        return found

    async def _of_keys(self, shift: Shift) -> list[str]:
        """A key has an answer in the database exactly if its client was told yes, and it is the same answer."""
        stored = {row["key"]: self._opened(row) for row in await self._connection.fetch(KEYS, f"{shift.seed}-%")}
        told = {deed.key: deed for deed in shift.deeds if deed.is_done}
        return [
            *(f"{key} was acknowledged but is not there" for key in told.keys() - stored.keys()),
            *(f"{key} is there but was told {_told(shift.deeds, key)}" for key in stored.keys() - told.keys()),
            *(
                f"{key} was told {told[key].appointment_id}, the database says {stored[key]['id']}"
                for key in told.keys() & stored.keys()
                if told[key].what != "rename" and stored[key]["id"] != told[key].appointment_id
            ),
        ]

    def _opened(self, row: "asyncpg.Record") -> Any:
        return msgspec.json.decode(self._cipher.open_(TABLE, "answer", f"{row['subject']}\0{row['key']}", row["answer"]))

    async def _of_appointments(self, shift: Shift) -> list[str]:
        """Each acknowledged appointment is there once, as last told; no other is there; each version has its event, in order.

        Both are read as they are at one moment: holds run out meanwhile.
        """
        async with self._connection.transaction(isolation="repeatable_read", readonly=True):
            rows = {row["id"]: row for row in await self._fetch(APPOINTMENTS)}
            events = {row["subject"]: list(row["versions"]) for row in await self._fetch(EVENTS)}
        begun = Counter(deed.appointment_id for deed in shift.deeds if deed.is_done and deed.what in ("book", "hold"))
        return [
            *(f"appointment {each} was acknowledged for {count} keys" for each, count in begun.items() if count > 1),
            *(f"appointment {each} was acknowledged but is not there" for each in begun.keys() - rows.keys()),
            *(f"appointment {each} is there but nobody was told" for each in rows.keys() - begun.keys()),
            *(f"appointment {each} is there {row['copies']} times" for each, row in rows.items() if row["copies"] > 1),
            *(f"appointment {each}: {fault}" for each in begun.keys() & rows.keys() if (fault := _differs(shift, each, rows[each]))),
            *(
                f"appointment {each} stands at version {row['version']}, its events say {events.get(each)}"
                for each, row in rows.items()
                if events.get(each) != list(range(1, row["version"] + 1))
            ),
            *(f"events of {each}, which is not there" for each in events.keys() - rows.keys()),
        ]

    async def _of_names(self, shift: Shift) -> list[str]:
        """The directory holds the last name that was acknowledged for each practitioner."""
        rows = dict(await self._connection.fetch("SELECT id::text, value->>'family' FROM directory.practitioner"))
        wanted = shift.names | dict.fromkeys(shift.patients)
        known = {row["id"] for row in await self._connection.fetch("SELECT id::text FROM patients.patient")}
        return [
            *(f"practitioner {each} is {rows.get(each)}, was named {name}" for each, name in shift.names.items() if rows.get(each) != name),
            *(f"patient {each} was registered but is not there" for each in wanted.keys() - rows.keys() - known),
        ]

    async def _fetch(self, statement: str) -> "Sequence[asyncpg.Record]":
        rows: Sequence[asyncpg.Record] = await self._connection.fetch(statement, *([self._since] if "$1" in statement else []))
        return rows


async def keys_of(system: System) -> FieldCipher:
    """The keys of the demonstration hospital."""
    assert system.known.organization_id is not None
    db = await Database.connect(system.known.database_url, None, 1)
    try:
        key = FileKey((system.data / FIELD_KEY_FILE).read_bytes())
        return await Vault(key, SystemClock(), FOR_EVER).of(db, system.known.organization_id)
    finally:
        await db.close()


def _told(deeds: Sequence[Deed], key: str) -> str:
    deed = next(each for each in deeds if each.key == key)
    return deed.answer.code if deed.answer else "nothing"


def _differs(shift: Shift, appointment_id: str, row: "asyncpg.Record") -> str | None:
    """How the database differs from what was last told. A hold may have run out since."""
    told = shift.appointments[appointment_id].body
    if (row["status"], row["version"]) == (told["status"], told["version"]):
        return None
    if told["expires_at"] and (row["status"], row["version"], row["reason"]) == ("cancelled", told["version"] + 1, "hold-expired"):
        return None
    return f"was told {told['status']} {told['version']}, is {row['status']} {row['version']} ({row['reason']})"
