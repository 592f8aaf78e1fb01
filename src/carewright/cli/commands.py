"""What each command does with its arguments: a few lines each, the work stands elsewhere.

What a server process never needs is imported by the commands that do: every process that is started again after a crash comes this way.
"""

import getpass
import os
import sys
from argparse import Namespace
from datetime import date, timedelta
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import msgspec

from carewright.contracts.clients import ChangeClientKeys, RegisterClient
from carewright.contracts.hl7 import Partner
from carewright.contracts.permissions import ROLES
from carewright.kernel import migrate as migrations
from carewright.kernel import telemetry
from carewright.kernel.authz import Tokens
from carewright.kernel.clock import SystemClock
from carewright.kernel.settings import StartFailed, load
from carewright.kernel.token_keys import TokenKeys
from carewright.roles import rotation, verification
from carewright.roles.demo import Demonstration, load_demo
from carewright.roles.installation import Installation, audit_key_file, token_key_file
from carewright.roles.keys import ensure_key_file
from carewright.roles.lifecycle import serve as serve_process
from carewright.roles.registry import MODULES, SCHEMAS, SECTIONS, chosen
from carewright.roles.up import Start, Up, sections_for

if TYPE_CHECKING:
    from carewright.simulation.hospital.hospital import Hospital

TOKEN_MINUTES_MAX = 1440
DEMO_SEED = 1
PARTNER = frozenset(Partner.__struct_fields__) - {"id"}
"""What `hl7 partner add` and `change` may be told."""


async def up(options: Namespace) -> int:
    wanted = Up(
        data=options.data, host=options.host, port=options.port, split=options.split,
        hospital=None if options.no_demo else lambda: _demonstration(_built(DEMO_SEED, _today(), options.demo_size)),
        database_url=options.database_url, valkey_url=options.valkey_url, settings_file=options.settings,
    )  # fmt: skip
    return await Start(wanted, _tell, partial(print, flush=True)).run()


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
    sections = sections_of(options)
    ran = await migrations.migrate(sections["system"].database_url, SCHEMAS, phases, _tell)
    if (made := await ensure_key_file(sections)) is not None:
        _tell(f"made {made}: without it nothing encrypted can be read. Keep a copy in another place")
    _tell(f"up to date; {ran} migrations ran")
    return 0


async def demo(options: Namespace) -> int:
    from carewright.simulation.hospital.summary import summarise  # noqa: PLC0415  (no server process needs it)

    start_on = date.fromisoformat(options.start) if options.start else _today()
    _tell("building the demonstration hospital")
    hospital = _built(options.seed, start_on, options.size)
    print("\n".join(summarise(hospital).lines()))
    if options.summary:
        return 0
    if Installation.read(options.data).organization_id is not None:
        raise StartFailed(f"{options.data} holds a hospital already. Name another directory with --data.")

    def remember(made: Installation) -> None:
        known = Installation.read(options.data)
        msgspec.structs.replace(known, organization_id=made.organization_id, demonstration_patient_id=made.demonstration_patient_id).write(
            options.data
        )

    await load_demo(sections_of(options), _demonstration(hospital), lambda what: _tell(f"loading {what}"), remember)
    _tell("done")
    return 0


async def import_files(options: Namespace) -> int:
    from carewright.roles import importing  # noqa: PLC0415  (no server process needs it)

    if options.draft:
        return _draft(options)
    place = sections_of(options), organization_of(options)
    if options.kind == "fhir":
        report = await importing.import_fhir(*place, options.paths, options.time_zone, _bar)
    elif options.kind == "hl7":
        if options.client is None:
            raise StartFailed("Say with --client ID which registered client sent the messages: carewright client list shows them.")
        report = await importing.import_hl7(*place, options.paths, id_in(options.client), _bar, dry_run=options.dry_run)
    elif options.kind == "csv":
        report = await importing.import_csv(*place, *_csv_of(options), _bar, dry_run=options.dry_run)
    else:
        report = await importing.import_dump(*place, options.kind, *_csv_of(options), _bar, dry_run=options.dry_run)
    print(file=sys.stderr)
    if options.report:
        options.report.write_bytes(msgspec.json.format(msgspec.json.encode(report)))
    print("\n".join(importing.lines_of(report)))
    return 0


async def legacy(options: Namespace) -> int:
    from carewright.roles import legacy  # noqa: PLC0415  (no server process needs it)

    place = sections_of(options), organization_of(options)
    if options.what == "mirror":
        done = await legacy.mirrored(*place, *_csv_of(options), _bar, dry_run=options.dry_run)
        print(file=sys.stderr)
        if options.report:
            options.report.write_bytes(msgspec.json.format(msgspec.json.encode(done.taken)))
        print("\n".join(legacy.lines_of_mirrored(done)))
        return 0
    if options.what == "report":
        standings = await legacy.standings(*place, getpass.getuser())
        if options.json:
            options.json.write_bytes(legacy.as_json(standings))
        print("\n".join(legacy.lines_of(standings)))
        return 0 if all(map(legacy.agrees, standings)) else 1
    wished = {
        "service_id": id_in(options.service),
        "site_ids": [id_in(each) for each in options.site],
        "step": options.what,
        "reason": options.reason,
    }
    if options.what == "begin":
        wished |= {"source": options.source, "book_at": options.book_at}
    despite = options.what == "switch" and options.despite_differences
    print("\n".join(legacy.lines_of_masters(await legacy.changed(*place, getpass.getuser(), wished, despite_differences=despite))))
    return 0


def _draft(options: Namespace) -> int:
    """Write a mapping to fill in, and never over one."""
    from carewright.roles import importing  # noqa: PLC0415  (no server process needs it)

    if options.kind not in importing.SYSTEMS or len(options.paths) != 1:
        raise StartFailed(f"A draft is made of one dump of {' or '.join(importing.SYSTEMS)}.")
    draft = importing.draft_mapping(options.paths[0], options.kind)
    try:
        with options.draft.open("x", encoding="utf-8") as file:
            file.write(draft)
    except FileExistsError as fault:
        raise StartFailed(f"{options.draft} is there already. Name another file.") from fault
    print(f"wrote {options.draft}: fill it in, then give it as --mapping {options.draft}")
    return 0


def _csv_of(options: Namespace) -> tuple[Path, str]:
    """The one file, and the text of its mapping."""
    if len(options.paths) != 1 or options.mapping is None:
        raise StartFailed("Name one file, and with --mapping FILE what its columns mean.")
    try:
        return options.paths[0], options.mapping.read_text("utf-8")
    except (OSError, UnicodeError) as fault:
        raise StartFailed(f"{options.mapping} cannot be read.") from fault


async def calendar(options: Namespace) -> int:
    from carewright.roles import calendars  # noqa: PLC0415  (no server process needs it)

    place = sections_of(options), organization_of(options)
    if options.what == "list":
        print("\n".join(await calendars.listed(*place)))
    elif options.what == "add":
        print(await calendars.added(*place, id_in(options.id), options.time_zone, options.address))
    elif options.what == "read":
        print(await calendars.read(*place, id_in(options.id), _content_of(options.file)))
    elif options.what == "drop":
        print(await calendars.dropped(*place, id_in(options.id)))
    else:
        print("\n".join(await calendars.conflicts(*place, id_in(options.id))))
    return 0


def _content_of(file: Path | None) -> bytes | None:
    try:
        return file.read_bytes() if file else None
    except OSError as fault:
        raise StartFailed(f"{file} cannot be read.") from fault


async def token(options: Namespace) -> int:
    if not 1 <= options.minutes <= TOKEN_MINUTES_MAX:
        raise StartFailed(f"--minutes must lie between 1 and {TOKEN_MINUTES_MAX}.")
    known = Installation.read(options.data)
    patient_id = id_in(options.patient) if options.patient else known.demonstration_patient_id
    if options.role == "patient" and patient_id is None:
        raise StartFailed("Say whose record with --patient ID.")
    tokens = Tokens(TokenKeys.of_file(token_key_file(options.data)), SystemClock(), ROLES)
    subject = options.subject or (f"patient-{patient_id}" if options.role == "patient" else options.role)
    actor = tokens.actor(options.role, subject, organization_of(options), patient_id if options.role == "patient" else None)
    print(tokens.issue(actor, timedelta(minutes=options.minutes)))
    return 0


async def verify(options: Namespace) -> int:
    findings = await verification.verify(sections_of(options), _tell)
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings")
    return 1 if findings else 0


async def audit(options: Namespace) -> int:
    from carewright.roles import auditing  # noqa: PLC0415  (no server process needs it)

    if options.what == "export":
        print(await auditing.export(sections_of(options), options.folder))
        return 0
    if options.what == "unknown":
        for line in await auditing.unknown(sections_of(options), options.limit):
            print(line)
        return 0
    if options.what == "key":
        print(await auditing.verifier_key(sections_of(options)))
        return 0
    findings = await auditing.verify(sections_of(options), options.witness, options.key, _tell)
    for finding in findings:
        print(finding)
    print(f"{len(findings)} findings")
    return 1 if findings else 0


async def events(options: Namespace) -> int:
    for line in await verification.events(sections_of(options), options.replay):
        print(line)
    return 0


async def patient(options: Namespace) -> int:
    if not options.yes:
        raise StartFailed(f"This erases patient {options.id[:40]} for ever. Say --yes to do it.")
    from carewright.contracts.patients import ErasePatient  # noqa: PLC0415  (no server process needs it)
    from carewright.roles import erasing  # noqa: PLC0415  (no server process needs it)

    if not 3 <= len(options.reason) <= 500:
        raise StartFailed("--reason needs 3 to 500 letters.")
    command = ErasePatient(patient_id=id_in(options.id), reason=options.reason)
    await erasing.erase(sections_of(options), organization_of(options), command)
    _tell(f"erased {command.patient_id}; older backups still hold the record: see docs/howto/erase-a-patient.md")
    return 0


async def extract(options: Namespace) -> int:
    from carewright.roles import extracting  # noqa: PLC0415  (no server process needs it)

    counts = await extracting.extract(
        sections_of(options), organization_of(options), getpass.getuser(), options.out, dated=options.shifted_dates, tell=_tell
    )
    _tell(f"done; {counts.rows:,} rows of {counts.patients:,} patients in {options.out}")
    if options.shifted_dates:
        _tell("this file has shifted dates: it is not de-identified before an expert says so, see docs/howto/extract-without-names.md")
    return 0


async def keys(options: Namespace) -> int:
    organization_id = organization_of(options)
    if options.what == "rotate":
        count = await rotation.rotate(sections_of(options), organization_id, _tell)
        _tell(f"done; {count:,} rows sealed anew")
        return 0
    if options.what == "rotate-tokens":
        await rotation.rotate_tokens(sections_of(options), organization_id, revoke=options.revoke)
        _tell("done; every token that was signed before is refused now" if options.revoke else "done; tokens signed before stay good")
        return 0
    if options.what == "rewrap":
        if options.to is None:
            raise StartFailed("Say with --to FILE where the key is to be: a settings file with a [privacy] table.")
        await rotation.rewrap(sections_of(options), sections_of(options, options.to), _tell)
        _tell("done; start every process with the new settings")
        return 0
    if options.what == "shred":
        if not options.yes:
            raise StartFailed(f"This makes every older backup of {organization_id} unreadable for ever. Say --yes to do it.")
        count = await rotation.shred(sections_of(options), organization_id, _tell)
        _tell(f"done; {count:,} rows sealed anew")
        return 0
    if not options.yes:
        raise StartFailed(f"This makes the patients of {organization_id} unreadable for ever. Say --yes to do it.")
    _tell(f"destroyed {await rotation.destroy(sections_of(options), organization_id)} keys of {organization_id}")
    return 0


async def incident(options: Namespace) -> int:
    from carewright.roles import incident as incidents  # noqa: PLC0415  (no server process needs it)

    place, operator = (sections_of(options), organization_of(options)), getpass.getuser()
    if options.what == "respond":
        command = incidents.command_of(
            reason=options.reason, end_sessions_of=options.end_sessions, quarantine_clients=options.quarantine_client,
            quarantine_peers=options.quarantine_peer, rotate_token_key=options.rotate_token_key, renew_field_key=options.rotate_field_key,
            notify=not options.no_notify,
        )  # fmt: skip
        opened = await incidents.respond(*place, operator, command)
        print("\n".join(incidents.lines_of(opened)))
        if options.rotate_field_key:
            _tell(f"done; {await rotation.rotate(*place, _tell):,} rows sealed anew")
        return 0 if all(step.done for step in opened.steps) else 1
    if options.what == "close":
        await incidents.close(*place, operator, id_in(options.id), options.finding)
        print("closed")
    elif options.what == "release":
        for each in await incidents.release(*place, operator, options.name):
            print(f"released {each.kind} {each.name}")
    else:
        print("\n".join(incidents.lines_of_all(await incidents.list_all(*place, operator))))
    return 0


async def hl7(options: Namespace) -> int:
    from carewright.roles import hl7  # noqa: PLC0415  (no server process needs it)

    sections, organization_id = sections_of(options), organization_of(options)
    if options.what == "list":
        for each in await hl7.listed(sections, organization_id):
            print(hl7.line_of(each))
    elif options.what == "show":
        print(await hl7.shown(sections, organization_id, id_in(options.id)))
    elif options.what == "settle":
        await hl7.settled(sections, organization_id, id_in(options.id), options.reason)
    elif options.what == "replay":
        print(await hl7.replayed(sections, organization_id, id_in(options.id), options.file))
    else:
        await hl7.mapped(sections, organization_id, options.table, options.code, options.target)
    return 0


async def ehr(options: Namespace) -> int:
    from carewright.roles import ehr  # noqa: PLC0415  (no server process needs it)

    sections, organization_id = sections_of(options), organization_of(options)
    if options.what == "list":
        for each in await ehr.listed(sections, organization_id):
            print(ehr.line_of(each))
    elif options.what == "add":
        masters = dict(each.partition("=")[::2] for each in options.master)
        wished = {"name": options.name, "profile": options.profile, "base": options.base, "client_id": options.client_id}
        wished |= {"patient_system": options.patients_system, "masters": masters, "mode": options.mode}
        made = await ehr.added(sections, organization_id, wished)
        print(ehr.keys_of(made))
    elif options.what == "map":
        await ehr.mapped(sections, organization_id, options.name, options.code, id_in(options.target) if options.target else None)
    elif options.what == "pull":
        pulled = await ehr.pulled(sections, organization_id, options.name)
        print("\n".join(ehr.lines_of_pull(pulled)))
        return 1 if pulled.ended_by else 0
    elif options.what == "push":
        print(f"told of {await ehr.pushed(sections, organization_id, options.name)} appointments that it did not have")
    elif options.what == "retry":
        print(f"{await ehr.retried(sections, organization_id, options.name)} changes that had failed will be told again")
    else:
        print("\n".join(ehr.lines_of(await ehr.reconciled(sections, organization_id, options.name))))
    return 0


async def ehr_connection(options: Namespace) -> int:
    """How one connection goes on."""
    from carewright.roles import ehr  # noqa: PLC0415  (no server process needs it)

    sections, organization_id = sections_of(options), organization_of(options)
    if options.what == "mode":
        print(ehr.line_of(await ehr.moded(sections, organization_id, options.name, options.mode)))
    elif options.what == "stop":
        print(f"stopped; {await ehr.stopped(sections, organization_id, options.name)} changes were not told yet: resuming it tells them")
    else:
        count = await ehr.resumed(sections, organization_id, options.name)
        print(f"resumed; {count} appointments that changed meanwhile, or the day before, are told")
    return 0


async def mock(options: Namespace) -> int:
    from carewright.mock import starting  # noqa: PLC0415  (no server process needs it)
    from carewright.mock.ehr.faults import Faults  # noqa: PLC0415  (no server process needs it)
    from carewright.mock.ehr.server import PROFILES, Wish  # noqa: PLC0415  (no server process needs it)

    faults = Faults(slow_seconds=options.slow, endless_pages=options.endless_pages, lies=options.lie, fails_every=options.fail_every)
    wished = partial(
        Wish, profile=PROFILES[options.profile], seed=options.seed, patients=options.patients, client_id=options.client_id,
        keys=starting.keys_in(options.keys) if options.keys else None, requests_per_minute=options.requests_per_minute, faults=faults,
    )  # fmt: skip
    await starting.run_ehr(options.port, wished, partial(print, flush=True), options.start_on)
    return 0


async def mock_eligibility(options: Namespace) -> int:
    from carewright.mock import starting  # noqa: PLC0415  (no server process needs it)
    from carewright.mock.eligibility.server import Faults  # noqa: PLC0415  (no server process needs it)

    faults = Faults(slow_seconds=options.slow, away=options.away, lie=options.lie)
    await starting.run_clearing_house(options.port, faults, partial(print, flush=True))
    return 0


def _of_partner(options: Namespace) -> dict[str, object]:
    """What the command line says of a partner."""
    return {name: value for name, value in vars(options).items() if name in PARTNER and value is not None}


async def partner(options: Namespace) -> int:
    from carewright.roles import hl7  # noqa: PLC0415  (no server process needs it)

    sections, organization_id = sections_of(options), organization_of(options)
    if options.what == "list":
        for each in await hl7.partners_listed(sections, organization_id):
            print(hl7.line_of_partner(each))
    elif options.what == "add":
        print(await hl7.partner_added(sections, organization_id, _of_partner(options), options.token_file))
    elif options.what == "change":
        changed = await hl7.partner_changed(sections, organization_id, id_in(options.id), _of_partner(options), options.token_file)
        print(hl7.line_of_partner(changed))
    elif options.what == "stop":
        dropped = await hl7.partner_stopped(sections, organization_id, id_in(options.id))
        _tell(f"{dropped} messages will not be sent")
    else:
        await hl7.partner_mapped(sections, organization_id, id_in(options.id), options.table, options.ours, options.theirs)
    return 0


async def unsent(options: Namespace) -> int:
    from carewright.roles import hl7  # noqa: PLC0415  (no server process needs it)

    sections, organization_id = sections_of(options), organization_of(options)
    if options.what == "list":
        for each in await hl7.unsent_listed(sections, organization_id):
            print(hl7.line_of_unsent(each))
    elif options.what == "show":
        print(await hl7.unsent_shown(sections, organization_id, id_in(options.id)))
    elif options.what == "resend":
        await hl7.resent(sections, organization_id, id_in(options.id))
    else:
        await hl7.dropped(sections, organization_id, id_in(options.id))
    return 0


async def cds(options: Namespace) -> int:
    from carewright.roles import cds  # noqa: PLC0415  (no server process needs it)

    sections, organization_id = sections_of(options), organization_of(options)
    if options.what == "list":
        for each in await cds.listed(sections, organization_id):
            print(cds.line_of(each))
    elif options.what == "add":
        wished = {"name": options.name, "base": options.base, "service": options.service, "site_ids": options.site}
        print(cds.line_of(await cds.added(sections, organization_id, wished)))
    else:
        await cds.removed(sections, organization_id, options.name)
    return 0


async def client(options: Namespace) -> int:
    from carewright.roles import clients  # noqa: PLC0415  (no server process needs it)

    sections, organization_id = sections_of(options), organization_of(options)
    if options.what == "list":
        for each in await clients.listed(sections, organization_id):
            print(clients.line_of(each))
        return 0
    if options.what in ("disable", "enable"):
        await clients.set_disabled(sections, organization_id, id_in(options.id), disabled=options.what == "disable")
        return 0
    keys: dict[str, Any] = {"keys_address": options.keys_address} if options.keys is None else {"keys": clients.keys_in(options.keys)}
    if options.what == "keys":
        print(clients.line_of(await clients.change_keys(sections, organization_id, ChangeClientKeys(client_id=id_in(options.id), **keys))))
        return 0
    sites = tuple(id_in(each) for each in options.site)
    made = RegisterClient(
        name=options.name,
        scopes=tuple(options.scope),
        site_ids=sites,
        issuer=options.issuer,
        redirect_uris=tuple(options.redirect),
        launch_uri=options.launch,
        **keys,
    )
    print(clients.line_of(await clients.register(sections, organization_id, made)))
    return 0


async def roles(_: Namespace) -> int:
    for module in MODULES:
        print(f"{module.name:<12} {' '.join(module.prefixes)}")
    return 0


def _built(seed: int, start_on: date, size: str) -> "Hospital":
    from carewright.simulation.hospital.storing import hospital_of  # noqa: PLC0415  (no server process needs it)

    return hospital_of(seed, start_on, size)


def _demonstration(hospital: "Hospital") -> Demonstration:
    from carewright.simulation.hospital.storing import example_patient, store  # noqa: PLC0415  (no server process needs it)

    return Demonstration(hospital.organization_id, example_patient(hospital), partial(store, hospital))


def _today() -> date:
    return SystemClock().now().date()


def sections_of(options: Namespace, file: Path | None = None) -> dict[str, Any]:
    """Settings for a command that works on the database directly. With `file` they are its own, whatever the environment says."""
    known = Installation.read(options.data)
    url = options.database_url or known.database_url
    if not url:
        raise StartFailed(f"There is no database for {options.data} yet. Start `carewright up` first, or give --database-url.")
    extra = {
        "CAREWRIGHT_SYSTEM_DATABASE_URL": url,
        "CAREWRIGHT_SYSTEM_TOKEN_KEY_FILE": str(token_key_file(options.data)),
        "CAREWRIGHT_AUDIT_SIGNING_KEY_FILE": str(audit_key_file(options.data)),
    }
    return load(SECTIONS, extra if file else {**os.environ, **extra}, file or options.settings)


def organization_of(options: Namespace) -> UUID:
    """Whose data a command is about. Raises `StartFailed`."""
    if options.organization:
        return id_in(options.organization)
    known = Installation.read(options.data).organization_id
    if known is None:
        raise StartFailed("Say which organization with --organization ID: this data directory holds none yet.")
    return known


def id_in(text: str) -> UUID:
    """An id as somebody typed it. Raises `StartFailed`."""
    try:
        return UUID(text)
    except ValueError as fault:
        raise StartFailed(f"{text[:40]!r} is not an id.") from fault


def _tell(line: str) -> None:
    print(f"carewright: {line}", file=sys.stderr, flush=True)


def _bar(done: int, total: int) -> None:
    width = 40
    filled = width * done // max(total, 1)
    print(f"\r[{'#' * filled}{'.' * (width - filled)}] {100 * done // max(total, 1):3d} %", end="", file=sys.stderr, flush=True)
