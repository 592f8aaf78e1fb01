"""Roles and what each may do: one readable table, minimum necessary. Every use case asks for one of these permissions.

`docs/reference/roles.md` is written from it: `python -m tests.tidy.roles --write`.
"""

COLUMNS = {
    "pat": "patient",            # their own record and appointments, nobody else's
    "prx": "proxy",              # as the patient who consented
    "des": "front-desk",
    "sch": "scheduler",          # appointment data, never clinical notes
    "nur": "nurse",
    "phy": "physician",
    "tec": "technician",         # laboratory and imaging
    "ops": "operations",         # calendars and flow, no patients
    "ana": "analyst",            # de-identified measures, no patients
    "pri": "privacy-officer",
    "adm": "administrator",      # runs the system, sees no patients
    "int": "integration",        # another system
    "scr": "screen",             # on a wall: tickets, nobody's name
    "kio": "kiosk",              # at the entrance: takes codes, gives tickets
    "sen": "sensor",             # sees that somebody is there, never who
}  # fmt: skip

TABLE = """
                                     pat prx des sch nur phy tec ops ana pri adm int scr kio sen
access.session.own                    x   x   x   x   x   x   x   x   x   x   x   x   .   .   .
access.account.read                   .   .   .   .   .   .   .   .   .   x   x   .   .   .   .
access.account.manage                 .   .   .   .   .   .   .   .   .   .   x   .   .   .   .
access.consent.any_patient            .   .   x   x   x   x   .   .   .   .   .   x   .   .   .
access.consent.give                   x   .   .   .   .   .   .   .   .   .   .   .   .   .   .
access.consent.read                   x   .   x   x   x   x   .   .   .   .   .   x   .   .   .
access.consent.record                 .   .   x   .   .   .   .   .   .   .   .   .   .   .   .
access.app.let_in                     x   x   .   .   .   .   .   .   .   .   .   .   .   .   .
access.app.start                      .   .   x   x   x   x   x   .   .   .   .   .   .   .   .
access.token.introspect               .   .   .   .   .   .   .   .   .   .   .   x   .   .   .
access.client.manage                  .   .   .   .   .   .   .   .   .   .   x   .   .   .   .
access.station.manage                 .   .   .   .   .   .   .   x   .   .   x   .   .   .   .
access.station.own                    .   .   .   .   .   .   .   .   .   .   .   .   x   x   .
access.break_glass.start              .   .   .   .   x   x   x   .   .   .   .   .   .   .   .
access.break_glass.review             .   .   .   .   .   .   .   .   .   x   .   .   .   .   .
audit.read                            .   .   .   .   .   .   .   .   .   x   .   .   .   .   .
calendars.feed.manage                 x   .   x   x   x   x   x   .   .   .   .   .   .   .   .
cds.advise                            .   .   .   .   .   .   .   .   .   .   .   x   .   .   .
cds.ask                               .   .   x   x   .   .   .   .   .   .   .   .   .   .   .
cds.service.manage                    .   .   .   .   .   .   .   .   .   .   x   .   .   .   .
coverage.read                         x   x   x   x   .   .   .   .   .   .   .   x   .   .   .
coverage.change                       .   .   x   .   .   .   .   .   .   .   .   x   .   .   .
coverage.any_patient                  .   .   x   x   .   .   .   .   .   .   .   x   .   .   .
coverage.check                        .   .   x   x   .   .   .   .   .   .   .   x   .   .   .
coverage.policy.read                  .   .   x   x   .   .   .   .   .   .   x   .   .   .   .
coverage.policy.change                .   .   .   .   .   .   .   .   .   .   x   .   .   .   .
directory.read                        x   x   x   x   x   x   x   x   x   x   x   x   .   .   .
directory.change                      .   .   .   .   .   .   .   .   .   .   x   x   .   .   .
fhir.export                           .   .   .   .   .   .   .   .   .   .   .   x   .   .   .
flow.call.watch                       .   .   .   .   .   .   .   .   .   .   .   .   x   .   .
flow.delay.change                     .   .   x   x   x   x   x   x   .   .   .   .   .   .   .
flow.delay.list                       .   .   x   x   x   x   x   x   .   .   .   x   .   .   .
flow.delay.read                       x   x   x   x   x   x   x   x   .   .   .   x   .   .   .
flow.encounter.any_patient            .   .   x   .   x   x   x   .   .   .   .   x   .   .   .
flow.encounter.read                   x   x   x   .   x   x   x   .   .   .   .   x   .   .   .
flow.encounter.record                 .   .   x   .   x   x   .   .   .   .   .   x   .   .   .
flow.kiosk.use                        .   .   .   .   .   .   .   .   .   .   .   .   .   x   .
flow.limits.read                      .   .   x   x   x   x   x   x   .   .   x   x   .   .   .
flow.place.change                     .   .   .   .   x   .   .   x   .   .   x   .   .   .   .
flow.place.read                       .   .   x   .   x   x   x   x   .   .   .   x   .   .   .
flow.place.work                       .   .   x   .   x   x   x   .   .   .   .   x   .   .   .
flow.precaution.read                  .   .   .   .   x   x   x   .   .   .   .   x   .   .   .
flow.precaution.record                .   .   .   .   x   x   .   .   .   .   .   x   .   .   .
flow.queue.change                     .   .   .   .   .   .   .   x   .   .   x   .   .   .   .
flow.queue.read                       x   x   x   x   x   x   x   x   .   .   .   x   .   .   .
flow.queue.triage                     .   .   .   .   x   x   .   .   .   .   .   .   .   .   .
flow.queue.say_where                  x   x   x   .   x   x   x   .   .   .   .   x   .   .   .
flow.queue.work                       .   .   x   .   x   x   x   .   .   .   .   x   .   .   .
flow.relief.change                    .   .   x   .   x   x   x   x   .   .   .   .   .   .   .
flow.relief.read                      .   .   x   .   x   x   x   x   .   .   x   x   .   .   .
flow.sensor.manage                    .   .   .   .   .   .   .   x   .   .   x   .   .   .   .
flow.sensor.read                      .   .   x   .   x   x   x   x   .   .   x   .   .   .   .
flow.sensor.report                    .   .   .   .   .   .   .   .   .   .   .   .   .   .   x
ehr.connection.manage                 .   .   .   .   .   .   .   .   .   .   x   .   .   .   .
ehr.connection.read                   .   .   .   x   .   .   .   .   .   .   x   .   .   .   .
ehr.exchange                          .   .   .   x   .   .   .   .   .   .   x   .   .   .   .
hl7.mapping.change                    .   .   .   x   .   .   .   .   .   .   x   .   .   .   .
hl7.message.read                      .   .   .   x   .   .   .   .   .   .   .   .   .   .   .
hl7.message.receive                   .   .   .   .   .   .   .   .   .   .   .   x   .   .   .
hl7.partner.manage                    .   .   .   .   .   .   .   .   .   .   x   .   .   .   .
hl7.work_list                         .   .   .   x   .   .   .   .   .   .   x   .   .   .   .
notifications.communication.any_patient .  .   x   x   .   .   .   .   .   .   .   x   .   .   .
notifications.communication.read      x   x   x   x   .   .   .   .   .   .   .   x   .   .   .
notifications.read                    x   x   x   x   x   x   x   x   x   x   x   x   .   .   .
orders.request.any_patient            .   .   x   .   x   x   x   .   .   .   .   x   .   .   .
orders.request.read                   x   x   x   .   x   x   x   .   .   .   .   x   .   .   .
orders.request.record                 .   .   x   .   x   x   .   .   .   .   .   x   .   .   .
oversight.respond                     .   .   .   .   .   .   .   .   .   x   x   .   .   .   .
oversight.review                      .   .   .   .   .   .   .   .   .   x   .   .   .   .   .
patients.read                         x   x   x   x   x   x   x   .   .   .   .   x   .   .   .
patients.read_contacts                x   x   x   x   x   x   .   .   .   .   .   x   .   .   .
patients.read_identifiers             x   x   x   .   .   .   .   .   .   .   .   x   .   .   .
patients.find                         .   .   x   x   x   x   x   .   .   .   .   x   .   .   .
patients.erase                        .   .   .   .   .   .   .   .   .   x   .   .   .   .   .
patients.register                     .   .   x   .   .   .   .   .   .   .   .   x   .   .   .
patients.change                       .   .   x   .   .   .   .   .   .   .   .   x   .   .   .
patients.merge                        .   .   x   .   .   .   .   .   .   .   .   x   .   .   .
patients.group.read                   .   .   .   .   .   .   .   .   .   .   .   x   .   .   .
patients.group.change                 .   .   .   .   .   .   .   .   .   .   .   x   .   .   .
records.export                        x   x   .   .   .   .   .   .   .   x   .   .   .   .   .
records.retention.read                .   .   .   .   .   .   .   .   .   x   x   .   .   .   .
records.retention.change              .   .   .   .   .   .   .   .   .   x   .   .   .   .   .
records.hold                          .   .   .   .   .   .   .   .   .   x   .   .   .   .   .
scheduling.find                       x   x   x   x   x   x   x   x   .   .   .   x   .   .   .
scheduling.appointment.read           x   x   x   x   x   x   x   .   .   .   .   x   .   .   .
scheduling.appointment.read_note      x   x   .   .   x   x   .   .   .   .   .   .   .   .   .
scheduling.appointment.hold           x   x   x   x   .   .   .   .   .   .   .   x   .   .   .
scheduling.appointment.book           x   x   x   x   .   .   .   .   .   .   .   x   .   .   .
scheduling.appointment.confirm        x   x   x   x   .   .   .   .   .   .   .   x   .   .   .
scheduling.appointment.cancel         x   x   x   x   .   .   .   .   .   .   .   x   .   .   .
scheduling.appointment.reschedule     x   x   x   x   .   .   .   .   .   .   .   x   .   .   .
scheduling.appointment.link           .   .   x   x   .   .   .   .   .   .   .   x   .   .   .
scheduling.appointment.any_patient    .   .   x   x   x   x   x   .   .   .   .   x   .   .   .
scheduling.appointment.accept         .   .   x   x   .   .   .   .   .   .   .   .   .   .   .
scheduling.appointment.advance        .   .   x   x   x   x   x   .   .   .   .   x   .   .   .
scheduling.appointment.override       .   .   .   x   .   .   .   .   .   .   .   .   .   .   .
scheduling.appointment.mirror         .   .   .   .   .   .   .   .   .   .   .   x   .   .   .
scheduling.calendar.read              .   .   x   x   x   x   x   x   .   .   x   x   .   .   .
scheduling.calendar.change            .   .   .   x   .   .   .   .   .   .   x   x   .   .   .
scheduling.master.change              .   .   .   .   .   .   .   .   .   .   x   .   .   .   .
scheduling.master.read                .   .   .   x   .   .   .   .   .   .   x   x   .   .   .
scheduling.offer.make                 .   .   x   x   .   .   .   .   .   .   .   .   .   .   .
scheduling.outage.report              .   .   x   x   x   x   x   x   .   .   .   x   .   .   .
scheduling.outage.report_person       .   .   x   x   .   .   .   x   .   .   .   x   .   .   .
scheduling.plan.make                  .   .   .   x   .   .   .   .   .   .   .   .   .   .   .
scheduling.planning.change            .   .   .   .   .   .   .   x   .   .   x   .   .   .   .
scheduling.planning.read              .   .   .   x   .   .   .   x   .   .   x   .   .   .   .
scheduling.time_in_use.take           .   .   x   .   x   x   x   .   .   .   .   x   .   .   .
scheduling.waitlist.change            x   x   x   x   .   .   .   .   .   .   .   x   .   .   .
scheduling.waitlist.read              x   x   x   x   .   .   .   .   .   .   .   x   .   .   .
scheduling.waitlist.set_policy        .   .   .   x   .   .   .   .   .   .   x   .   .   .   .
subscriptions.subscribe               .   .   .   .   .   .   .   .   .   .   .   x   .   .   .
system.operate                        .   .   .   .   .   .   .   x   .   .   x   .   .   .   .
vitals.observation.any_patient        .   .   .   .   x   x   x   .   .   .   .   x   .   .   .
vitals.observation.read               x   x   .   .   x   x   x   .   .   .   .   x   .   .   .
vitals.observation.record             .   .   .   .   .   .   .   .   .   .   .   x   .   .   .
"""
"""`scheduling.appointment.any_patient`, and those of other modules, let staff act for every patient; without it an actor acts for
`patient_id` alone. `scheduling.outage.report` is for rooms, beds, devices and oneself; of other people `report_person` is asked for too."""


def read_table(text: str, columns: dict[str, str]) -> dict[str, frozenset[str]]:
    """Role to permissions. A row that is not as wide as the table, or a mark that is none, stops the start."""
    header, *rows = [line.split() for line in text.strip().splitlines()]
    if header != list(columns):
        raise ValueError("the table's header does not name the columns")
    granted: dict[str, set[str]] = {role: set() for role in columns.values()}
    for permission, *marks in rows:
        if len(marks) != len(header) or not set(marks) <= {"x", "."}:
            raise ValueError(f"the row of {permission} is not in form")
        for short, mark in zip(header, marks, strict=True):
            if mark == "x":
                granted[columns[short]].add(permission)
    return {role: frozenset(permissions) for role, permissions in granted.items()}


ROLES = read_table(TABLE, COLUMNS)
STATIONS = ("screen", "kiosk")
"""Roles of what hangs on walls and stands at entrances."""
SENSOR = "sensor"
"""The role of what sees a room, a bed or a waiting area."""
STAFF = frozenset(ROLES) - {"patient", "proxy", "integration", SENSOR, *STATIONS}
BREAK_GLASS = frozenset({
    "patients.read", "patients.find", "patients.read_contacts", "patients.read_identifiers",
    "scheduling.appointment.read", "scheduling.appointment.read_note", "scheduling.appointment.any_patient", "scheduling.calendar.read",
    "flow.encounter.read", "flow.encounter.any_patient", "orders.request.read", "orders.request.any_patient",
    "vitals.observation.read", "vitals.observation.any_patient",
})  # fmt: skip
"""What a role gains while the glass is broken: to read whatever is known of any patient, and to change nothing."""
SYSTEM = "system"
SYSTEM_ONLY = frozenset({
    "access.account.look_up", "access.app.read",
    "access.session.resolve", "access.sign_in", "audit.watch", "flow.check_in.tell", "flow.queue.by_link", "flow.queue.link",
    "flow.queue.note_unreached", "flow.sensor.resolve",
    "notifications.list", "notifications.notify",
    "notifications.read_local", "patients.compare_names", "patients.find_by_contact", "records.extract",
    "scheduling.appointment.relate", "scheduling.offer.by_link", "scheduling.offer.link", "scheduling.offer.note_unreached",
})  # fmt: skip
"""What no person may: the processes themselves, while nobody is signed in yet, and commands of whoever has the keys."""
ALL = frozenset().union(*ROLES.values()) | SYSTEM_ONLY
