"""What each command does with its arguments: a few lines each, the work stands elsewhere."""

import sys
from argparse import Namespace
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import msgspec

from carewright.contracts.directory import Directory
from carewright.contracts.patients import Patients
from carewright.contracts.permissions import ROLES
from carewright.fhir.model.reports import ImportReport
from carewright.fhir.service import import_directory
from carewright.kernel import migrate as migrations
from carewright.kernel import telemetry
from carewright.kernel.authz import Tokens
from carewright.kernel.clock import SystemClock
from carewright.kernel.ids import Ids
from carewright.kernel.settings import StartFailed, load
from carewright.roles import demo as demonstration
from carewright.roles import verification
from carewright.roles.installation import Installation, token_key_file
from carewright.roles.lifecycle import running
from carewright.roles.lifecycle import serve as serve_process
from carewright.roles.registry import MODULES, SCHEMAS, SECTIONS, chosen
from carewright.roles.up import Start, Up, sections_for
from carewright.simulation.hospital.summary import summarise

TOKEN_MINUTES_MAX = 1440
REJECTIONS_SHOWN_MAX = 20
CORE = [module for module in MODULES if module.has_tables]


async def up(options: Namespace) -> int:
    wanted = Up(
        data=options.data, host=options.host, port=options.port, split=options.split, demo=not options.no_demo,
        demo_size=options.demo_size, database_url=options.database_url, valkey_url=options.valkey_url, settings_file=options.settings,
    )  # fmt: skip
    return await Start(wanted, lambda: datetime.now(UTC).date(), _tell).run()


async def serve(options: Namespace) -> int:
    sections = sections_for(options.settings, host=options.host, port=options.port)
    modules = chosen(options.roles.split(","))
    system = sections["system"]
    telemetry.configure_logs(pretty=sys.stderr.isatty(), level=system.log_level)
    telemetry.configure_traces(system.trace_endpoint, system.trace_ratio, f"carewright {options.roles}")
    await serve_process(modules, sections)
    return 0


async def migrate(options: Namespace) -> int:
    phases: tuple[migrations.Phase, ...] = ("pre", "post") if options.phase == "all" else (options.phase,)
    ran = await migrations.migrate(_sections(options)["system"].database_url, SCHEMAS, phases, _tell)
    _tell(f"up to date; {ran} migrations ran")
    return 0


async def demo(options: Namespace) -> int:
    start_on = date.fromisoformat(options.start) if options.start else datetime.now(UTC).date()
    _tell("building the demonstration hospital")
    hospital = demonstration.build(options.seed, start_on, options.size)
    print("\n".join(summarise(hospital).lines()))
    if options.summary:
        return 0
    if Installation.read(options.data).organization_id is not None:
        raise StartFailed(f"{options.data} holds a hospital already. Name another directory with --data.")
    made = await demonstration.load_demo(_sections(options), hospital, lambda what: _tell(f"loading {what}"))
    msgspec.structs.replace(
        Installation.read(options.data), organization_id=made.organization_id, demonstration_patient_id=made.demonstration_patient_id
    ).write(options.data)
    _tell("done")
    return 0


async def import_fhir(options: Namespace) -> int:
    organization_id = _organization(options)
    async with running(CORE, _sections(options)) as system:
        actor = system.tokens.actor("integration", "import", organization_id)
        report = await import_directory(
            system.offer(Directory), system.offer(Patients), actor, options.paths, Ids(SystemClock()), _bar, time_zone=options.time_zone
        )
        for relay in system.relays.values():
            await relay.drain()
    print(file=sys.stderr)
    if options.report:
        options.report.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    print("\n".join(_lines_of(report)))
    return 0


async def token(options: Namespace) -> int:
    if not 1 <= options.minutes <= TOKEN_MINUTES_MAX:
        raise StartFailed(f"--minutes must lie between 1 and {TOKEN_MINUTES_MAX}.")
    known = Installation.read(options.data)
    patient_id = _uuid(options.patient) if options.patient else known.demonstration_patient_id
    if options.role == "patient" and patient_id is None:
        raise StartFailed("Say whose record with --patient ID.")
    tokens = Tokens(token_key_file(options.data).read_bytes(), SystemClock(), ROLES)
    subject = options.subject or (f"patient-{patient_id}" if options.role == "patient" else options.role)
    actor = tokens.actor(options.role, subject, _organization(options), patient_id if options.role == "patient" else None)
    print(tokens.issue(actor, timedelta(minutes=options.minutes)))
    return 0


async def verify(options: Namespace) -> int:
    findings = await verification.verify(_sections(options), _tell)
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings")
    return 1 if findings else 0


async def events(options: Namespace) -> int:
    for line in await verification.events(_sections(options), options.replay):
        print(line)
    return 0


async def roles(_: Namespace) -> int:
    for module in MODULES:
        print(f"{module.name:<12} {' '.join(module.prefixes)}")
    return 0


def _sections(options: Namespace) -> dict[str, Any]:
    """Settings for a command that works on the database directly."""
    known = Installation.read(options.data)
    url = options.database_url or known.database_url
    if not url:
        raise StartFailed(f"There is no database for {options.data} yet. Start `carewright up` first, or give --database-url.")
    extra = {"CAREWRIGHT_SYSTEM_DATABASE_URL": url, "CAREWRIGHT_SYSTEM_TOKEN_KEY_FILE": str(token_key_file(options.data))}
    return load(SECTIONS, extra, options.settings)


def _organization(options: Namespace) -> UUID:
    if options.organization:
        return _uuid(options.organization)
    known = Installation.read(options.data).organization_id
    if known is None:
        raise StartFailed("Say which organization with --organization ID: this data directory holds none yet.")
    return known


def _uuid(text: str) -> UUID:
    try:
        return UUID(text)
    except ValueError as fault:
        raise StartFailed(f"{text[:40]!r} is not an id.") from fault


def _tell(line: str) -> None:
    print(f"carewright: {line}", file=sys.stderr, flush=True)


def _lines_of(report: ImportReport) -> list[str]:
    """The report for the terminal: counts by type, then the first rejections."""
    rows = [
        f"{name:<20} {counts.accepted:>8} accepted {counts.rejected:>6} rejected {counts.skipped:>6} skipped"
        for name, counts in sorted(report.by_type.items())
    ]
    rejected = [f"{issue.file}:{issue.line} {issue.code}: {issue.reason}" for issue in report.rejections[:REJECTIONS_SHOWN_MAX]]
    more = len(report.rejections) - len(rejected)
    return [
        *rows,
        f"{report.created} created, {report.changed} changed, {report.unchanged} unchanged",
        *rejected,
        *([f"… and {more} more; --report FILE writes them all"] if more else []),
    ]


def _bar(done: int, total: int) -> None:
    width = 40
    filled = width * done // max(total, 1)
    print(f"\r[{'#' * filled}{'.' * (width - filled)}] {100 * done // max(total, 1):3d} %", end="", file=sys.stderr, flush=True)
