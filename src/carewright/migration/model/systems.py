"""What the tables of known older systems mean, as data.

Easy!Appointments 1.4 and 1.5 (its migrations, `application/migrations`; the states are those of its setting
`appointment_status_options`), OpenEMR 7 (its `sql/database.sql`; the states are those of its list `apptstat`), Medplum by FHIR R4
(Appointment). A state that is not here, such as one that an administrator added or one that is not sure yet, is refused until the mapping
says what it means.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, get_args

from carewright.contracts.directory import SOURCE_SYSTEM
from carewright.migration.model.mapping import Kind

SystemName = Literal["easyappointments", "openemr", "medplum"]
SYSTEMS: tuple[SystemName, ...] = get_args(SystemName)


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """A row is left aside with `code` unless its column has one of `words`; where they are None, unless it has any.

    `looked_up` is (table, column, word): the words are then the ids of that table's rows where the column has the word. A column that
    the table does not have rules nothing.
    """

    column: str
    words: frozenset[str] | None = None
    code: str
    looked_up: tuple[str, str, str] | None = None
    rejects: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Table:
    """The rows of a kind: `columns` name for each field the columns of which the first that is not empty counts.

    `joined` are fields whose columns are read together; of `blank`, a column's word means that there is none.
    """

    kind: Kind
    name: str
    id: str
    columns: Mapping[str, tuple[str, ...]]
    joined: Mapping[str, tuple[str, ...]]
    codes: Mapping[str, Mapping[str, str]]
    blank: Mapping[str, str]
    rules: tuple[Rule, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """What a mapping must be told of, by the field that names it: shown by the columns of `shown` in the draft of a mapping."""

    field: Literal["visit_type", "site", "practitioner"]
    table: str
    id: str
    shown: tuple[str, ...]
    rules: tuple[Rule, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """`tables` in the order in which they are brought; `small` are those that are held while the others are read.

    `known` are fields whose words are ids that an import of FHIR kept, by the type of resource they are of. `source` and `time_zone` are
    what the draft of a mapping says of itself.
    """

    title: str
    source: str = ""
    time_zone: str = ""
    known: Mapping[str, str] = field(default_factory=dict)
    small: tuple[str, ...] = ()
    tables: tuple[Table, ...]
    listings: tuple[Listing, ...]


def _role(slug: str, code: str) -> Rule:
    return Rule(column="id_roles", looked_up=("ea_roles", "slug", slug), code=code)


_EASY_APPOINTMENTS = System(
    title="Easy!Appointments",
    small=("ea_roles",),
    tables=(
        Table(
            kind="patient", name="ea_users", id="id",
            columns={"id": ("id",), "family": ("last_name",), "email": ("email",), "phone": ("mobile_number", "phone_number")},
            joined={"given": ("first_name",)},
            codes={}, blank={}, rules=(_role("customer", "not_a_patient"),),
        ),
        Table(
            kind="appointment", name="ea_appointments", id="id",
            columns={
                "id": ("id",), "patient": ("id_users_customer",), "start": ("start_datetime",), "end": ("end_datetime",),
                "visit_type": ("id_services",), "practitioner": ("id_users_provider",), "status": ("status",),
            },
            joined={},
            codes={"status": {"Booked": "booked", "Confirmed": "booked", "Rescheduled": "booked", "Cancelled": "cancelled"}},
            blank={},
            rules=(
                Rule(column="is_unavailability", words=frozenset({"0", ""}), code="not_a_visit"),
                Rule(column="is_unavailable", words=frozenset({"0", ""}), code="not_a_visit"),
            ),
        ),
    ),
    listings=(
        Listing(field="visit_type", table="ea_services", id="id", shown=("name", "duration")),
        Listing(
            field="practitioner", table="ea_users", id="id", shown=("first_name", "last_name", "timezone"),
            rules=(_role("provider", "not_a_patient"),),
        ),
    ),
)  # fmt: skip

_OPENEMR = System(
    title="OpenEMR",
    tables=(
        Table(
            kind="patient", name="patient_data", id="pid",
            columns={
                "id": ("pid",), "family": ("lname",), "birth_on": ("DOB",), "gender": ("sex",), "email": ("email",),
                "phone": ("phone_cell", "phone_home"),
            },
            joined={"given": ("fname", "mname")},
            codes={"gender": {"Male": "male", "Female": "female", "UNK": "unknown"}},
            blank={"DOB": "0000-00-00"}, rules=(),
        ),
        Table(
            kind="appointment", name="openemr_postcalendar_events", id="pc_eid",
            columns={
                "id": ("pc_eid",), "patient": ("pc_pid",), "visit_type": ("pc_catid",), "site": ("pc_facility",),
                "practitioner": ("pc_aid",), "status": ("pc_apptstatus",),
            },
            joined={"start": ("pc_eventDate", "pc_startTime")},
            codes={"status": {
                "-": "booked", "*": "booked", "+": "booked", "@": "booked", "~": "booked", "<": "booked", "#": "booked", "^": "booked",
                "AVM": "booked", "SMS": "booked", "EMAIL": "booked", "CALL": "booked",
                "x": "cancelled", "%": "cancelled", "!": "cancelled", "?": "noshow", ">": "fulfilled", "$": "fulfilled",
            }},
            blank={"pc_pid": "0", "pc_aid": "0", "pc_facility": "0"},
            rules=(
                Rule(column="pc_pid", code="not_a_visit"),
                Rule(column="pc_recurrtype", words=frozenset({"0", ""}), code="series", rejects=True),
            ),
        ),
    ),
    listings=(
        Listing(field="site", table="facility", id="id", shown=("name",)),
        Listing(
            field="visit_type", table="openemr_postcalendar_categories", id="pc_catid", shown=("pc_catname", "pc_duration"),
            rules=(Rule(column="pc_cattype", words=frozenset({"0", ""}), code="not_a_visit"),),
        ),
        Listing(
            field="practitioner", table="users", id="id", shown=("fname", "lname", "npi"),
            rules=(Rule(column="authorized", words=frozenset({"1"}), code="not_a_patient"),),
        ),
    ),
)  # fmt: skip

_MEDPLUM = System(
    title="Medplum, or another FHIR R4 server",
    source=f"{SOURCE_SYSTEM}Patient",
    time_zone="UTC",
    known={"site": "Location", "practitioner": "Practitioner"},
    tables=(
        Table(
            kind="appointment", name="Appointment", id="id",
            columns={
                "id": ("id",), "patient": ("Patient",), "start": ("start",), "end": ("end",), "visit_type": ("type",),
                "site": ("Location",), "practitioner": ("Practitioner",), "status": ("status",),
            },
            joined={},
            codes={"site": {}, "practitioner": {}, "status": {
                "pending": "booked", "booked": "booked", "arrived": "booked", "checked-in": "booked", "fulfilled": "fulfilled",
                "cancelled": "cancelled", "noshow": "noshow", "entered-in-error": "cancelled",
            }},
            blank={}, rules=(Rule(column="resourceType", words=frozenset({"Appointment"}), code="not_a_visit"),),
        ),
    ),
    listings=(Listing(field="visit_type", table="Appointment", id="type", shown=()),),
)  # fmt: skip

KNOWN: Mapping[SystemName, System] = {"easyappointments": _EASY_APPOINTMENTS, "openemr": _OPENEMR, "medplum": _MEDPLUM}
