"""Roles and what each may do: one readable table. The Trust issue narrows it further; every use case already asks."""

ROLES: dict[str, frozenset[str]] = {
    "patient": frozenset({
        "directory.read", "notifications.read",
        "scheduling.find", "scheduling.appointment.hold", "scheduling.appointment.book", "scheduling.appointment.confirm",
        "scheduling.appointment.cancel", "scheduling.appointment.reschedule", "scheduling.appointment.read",
        "patients.read",
    }),
    "front-desk": frozenset({
        "directory.read", "notifications.read",
        "patients.read", "patients.find", "patients.register",
        "scheduling.find", "scheduling.appointment.hold", "scheduling.appointment.book", "scheduling.appointment.confirm",
        "scheduling.appointment.cancel", "scheduling.appointment.reschedule", "scheduling.appointment.read",
        "scheduling.appointment.advance", "scheduling.appointment.any_patient", "scheduling.appointment.accept",
        "scheduling.calendar.read",
    }),
    "scheduler": frozenset({
        "directory.read", "notifications.read",
        "patients.read", "patients.find",
        "scheduling.find", "scheduling.appointment.hold", "scheduling.appointment.book", "scheduling.appointment.confirm",
        "scheduling.appointment.cancel", "scheduling.appointment.reschedule", "scheduling.appointment.read",
        "scheduling.appointment.advance", "scheduling.appointment.any_patient", "scheduling.appointment.accept",
        "scheduling.appointment.override", "scheduling.calendar.read", "scheduling.calendar.change",
    }),
    "administrator": frozenset({
        "directory.read", "directory.change", "notifications.read",
        "scheduling.calendar.read", "scheduling.calendar.change",
        "system.operate",
    }),
    "integration": frozenset({
        "directory.read", "directory.change", "notifications.read",
        "patients.read", "patients.find", "patients.register",
        "scheduling.find", "scheduling.appointment.hold", "scheduling.appointment.book", "scheduling.appointment.confirm",
        "scheduling.appointment.cancel", "scheduling.appointment.reschedule", "scheduling.appointment.read",
        "scheduling.appointment.any_patient", "scheduling.calendar.read",
    }),
}  # fmt: skip
"""`scheduling.appointment.any_patient` lets staff act for every patient; without it an actor acts for `patient_id` alone."""

SYSTEM_ONLY = frozenset({"notifications.notify", "notifications.read_local"})
"""What no person may: the processes themselves."""
