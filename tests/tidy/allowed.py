"""The exceptions to the house rules. Each is as narrow as it can be and says why; one that is no longer used fails the tests."""

from typing import NamedTuple


class Allowance(NamedTuple):
    """`place` may break the rule `rule` by `what`, because of `reason`."""

    rule: str
    place: str
    what: str
    reason: str


ALLOWED = (
    Allowance("sql_in_python", "kernel/migrate.py", "", "it makes the schema in which everything else is kept"),
    Allowance("formatted_sql", "kernel/migrate.py", "", "module names as roles and schemas: no parameter can carry an identifier"),
    Allowance("foreign_table", "scheduling/queries.sql", "kernel.outbox", "a booking is one statement, its event included (ADR 5)"),
    Allowance("foreign_table", "audit/queries.sql", "kernel.audit_entry", "the audit module is the one reader of the journal (ADR 12)"),
    Allowance("foreign_table", "scheduling/queries.sql", "kernel.audit_entry", "a booking is one statement, its audit entry included"),
    Allowance("foreign_table", "hl7/queries.sql", "kernel.audit_entry", "messages are stored by one statement, their entries included"),
    Allowance("foreign_table", "scheduling/queries.sql", "kernel.idempotency", "a booking is one statement, its answer included (ADR 5)"),
    Allowance(
        "formatted_sql",
        "roles/embedded/postgres.py",
        "ALTER ROLE",
        "given to PostgreSQL before it serves anybody; utility statements take no parameters",
    ),
    Allowance("formatted_sql", "roles/embedded/postgres.py", "CREATE DATABASE", "as above"),
    Allowance(
        "clock_or_chance",
        "roles/embedded/place.py",
        "secrets.",
        "passwords and ports of the embedded servers, made before there is a context",
    ),
    Allowance("printing", "kernel/remains.py", "", "a process that dies can log no more: it says so on standard error"),
    Allowance("printing", "roles/child.py", "", "the supervisor speaks to the person at the terminal, as the command line does"),
)
