"""Dumps of older systems, made after their schemas (Easy!Appointments 1.5, OpenEMR 7): columns as they are there, rows of a test's own.

Shortened by columns that no import reads; of OpenEMR's `patient_data`, with more than a hundred columns, only the first stand here.
"""

from collections.abc import Sequence
from typing import Any

HEAD = """/*M!999999\\- enable the sandbox mode */
-- MariaDB dump 10.19-11.4.2-MariaDB, for debian-linux-gnu (x86_64)
--
-- Host: localhost    Database: clinic
-- ------------------------------------------------------

/*!40101 SET NAMES {charset} */;
/*!40103 SET TIME_ZONE='+00:00' */;

"""
TAIL = "/*!40103 SET TIME_ZONE=@OLD_TIME_ZONE */;\n\n-- Dump completed on 2026-11-26 20:00:00\n"
EA_USERS = (
    "id", "create_datetime", "update_datetime", "first_name", "last_name", "email", "mobile_number", "phone_number", "address", "city",
    "state", "zip_code", "notes", "timezone", "language", "custom_field_1", "is_private", "ldap_dn", "id_roles",
)  # fmt: skip
EA_APPOINTMENTS = (
    "id", "create_datetime", "update_datetime", "book_datetime", "start_datetime", "end_datetime", "location", "notes", "hash", "color",
    "status", "is_unavailability", "id_users_provider", "id_users_customer", "id_services", "id_google_calendar", "id_caldav_calendar",
)  # fmt: skip
EA_SERVICES = ("id", "name", "duration", "price", "currency", "description", "color", "location", "attendants_number")
EA_ROLES = ("id", "name", "slug", "is_admin")
ROLES = [
    {"id": 1, "name": "Administrator", "slug": "admin"}, {"id": 2, "name": "Provider", "slug": "provider"},
    {"id": 3, "name": "Customer", "slug": "customer"}, {"id": 4, "name": "Secretary", "slug": "secretary"},
]  # fmt: skip
OE_PATIENTS = (
    "id", "uuid", "title", "language", "financial", "fname", "lname", "mname", "DOB", "street", "postal_code", "city", "state",
    "phone_home", "phone_biz", "phone_contact", "phone_cell", "sex", "providerID", "email", "pubpid", "pid",
)  # fmt: skip
OE_EVENTS = (
    "pc_eid", "pc_catid", "pc_multiple", "pc_aid", "pc_pid", "pc_gid", "pc_title", "pc_time", "pc_hometext", "pc_eventDate", "pc_endDate",
    "pc_duration", "pc_recurrtype", "pc_recurrspec", "pc_startTime", "pc_endTime", "pc_alldayevent", "pc_eventstatus", "pc_apptstatus",
    "pc_facility", "pc_room", "uuid",
)  # fmt: skip
OE_CATEGORIES = ("pc_catid", "pc_constant_id", "pc_catname", "pc_catcolor", "pc_duration", "pc_cattype", "pc_active")
OE_USERS = ("id", "uuid", "username", "authorized", "fname", "lname", "npi", "facility_id")
OE_FACILITIES = ("id", "uuid", "name", "phone")
Given = dict[str, Any]


def table(name: str, columns: Sequence[str], rows: Sequence[Given]) -> str:
    """A table as mysqldump writes it, several rows to a line; bytes stand for a binary value."""
    defined = ",\n".join(f"  `{column}` text DEFAULT NULL COMMENT 'it''s; (here)'" for column in columns)
    values = ",".join("(" + ",".join(_value(row.get(column)) for column in columns) + ")" for row in rows)
    return (
        f"DROP TABLE IF EXISTS `{name}`;\n/*!40101 SET character_set_client = utf8mb4 */;\n"
        f"CREATE TABLE `{name}` (\n{defined},\n  PRIMARY KEY (`{columns[0]}`)\n) ENGINE=InnoDB AUTO_INCREMENT=9;\n\n"
        f"LOCK TABLES `{name}` WRITE;\n/*!40000 ALTER TABLE `{name}` DISABLE KEYS */;\nINSERT INTO `{name}` VALUES {values};\n"
        f"/*!40000 ALTER TABLE `{name}` ENABLE KEYS */;\nUNLOCK TABLES;\n\n"
    )


def _value(value: Any) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(value)
    escaped = value.replace("\\", "\\\\").replace("'", "\\'").replace("\n", "\\n").replace("\0", "\\0")
    return f"_binary '{escaped}'" if "\0" in value else f"'{escaped}'"


def easy_appointments(users: Sequence[Given], appointments: Sequence[Given], *, charset: str = "utf8mb4") -> str:
    """A dump in the order of mysqldump: by name, so visits before their people."""
    services = [{"id": 1, "name": "Foot; 'check'", "duration": 30}, {"id": 2, "name": "Hand", "duration": 15}]
    return HEAD.format(charset=charset) + "".join((
        table("ea_appointments", EA_APPOINTMENTS, [{"is_unavailability": 0, **row} for row in appointments]),
        table("ea_roles", EA_ROLES, ROLES), table("ea_services", EA_SERVICES, services), table("ea_users", EA_USERS, users), TAIL,
    ))  # fmt: skip


def openemr(patients: Sequence[Given], events: Sequence[Given]) -> str:
    categories = [
        {"pc_catid": 2, "pc_catname": "In Office", "pc_cattype": 1},
        {"pc_catid": 5, "pc_catname": "Office Visit", "pc_cattype": 0},
    ]
    binary = "\0\x01'\\;\n"
    given = {"pc_recurrtype": 0, "pc_facility": 3, "pc_catid": 5, "pc_aid": "6", "uuid": binary}
    return HEAD.format(charset="utf8mb4") + "".join((
        table("facility", OE_FACILITIES, [{"id": 3, "name": "Main Clinic"}]),
        table("openemr_postcalendar_categories", OE_CATEGORIES, categories),
        table("openemr_postcalendar_events", OE_EVENTS, [given | row for row in events]),
        table("patient_data", OE_PATIENTS, [{"uuid": binary, "mname": "", **row} for row in patients]),
        table("users", OE_USERS, [
            {"id": 1, "username": "admin", "authorized": 0},
            {"id": 6, "authorized": 1, "fname": "Ada", "lname": "Foot", "npi": "1234567893"},
        ]),
        TAIL,
    ))  # fmt: skip
