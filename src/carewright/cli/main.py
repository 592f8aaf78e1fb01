"""Every command with its help and an example."""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import uvloop

from carewright import __version__
from carewright.cli import commands, plan, sensors, stations
from carewright.cli.ehr import add_ehr, add_mock
from carewright.cli.words import add_command as _command
from carewright.cli.words import add_group as _group
from carewright.cli.words import with_place as _with_place
from carewright.cli.words import with_tenant as _with_tenant
from carewright.contracts.permissions import ROLES
from carewright.kernel.errors import Refusal
from carewright.kernel.remains import leave_little
from carewright.roles.child import StartFailed as ServerFailed

if TYPE_CHECKING:
    from carewright.cli.words import Names


def main(argv: Sequence[str] | None = None) -> int:
    """Parse, run, and turn a refusal into one line. Exit codes: 0 done, 1 refused or failed, 2 wrong arguments."""
    options = _parser().parse_args(argv)
    leave_little()
    try:
        code: int = uvloop.run(options.run(options))
        return code
    except ServerFailed as failure:
        return _say(failure.message)
    except Refusal as refusal:
        return _say(refusal.detail)
    except KeyboardInterrupt:
        return 130


def _say(line: str) -> int:
    print(f"carewright: {line}", file=sys.stderr)
    return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="carewright", description="Hospital scheduling and patient flow.", epilog="example: carewright up --port 8080"
    )
    parser.add_argument("--version", action="version", version=f"carewright {__version__}")
    names = parser.add_subparsers(title="commands", required=True, metavar="COMMAND")
    for add in (
        _up,
        _serve,
        _migrate,
        _demo,
        _import,
        _legacy,
        _calendar,
        _token,
        _verify,
        _audit,
        _events,
        _patient,
        _extract,
        _keys,
        _client,
        stations.add,
        sensors.add,
        plan.add,
        _cds,
        _incident,
        _hl7,
        add_ehr,
        add_mock,
        _roles,
    ):
        add(names)
    return parser


def _up(names: "Names") -> None:
    command = _command(names, "up", commands.up, "Start everything and keep it running until Ctrl-C.", "carewright up --port 8080")
    _with_place(command)
    command.add_argument("--valkey-url", help="use this Valkey instead of the embedded one")
    command.add_argument("--host", default="127.0.0.1", help="address to listen on (default: 127.0.0.1)")
    command.add_argument("--port", type=int, default=8080, help="port to listen on (default: 8080; 0 takes a free one)")
    command.add_argument("--split", action="store_true", help="one process per role, on ports counted up from --port")
    command.add_argument("--no-demo", action="store_true", help="leave an empty database empty")
    command.add_argument("--demo-size", choices=("full", "tiny"), default="full", help="size of the demonstration hospital (default: full)")


def _serve(names: "Names") -> None:
    command = _command(
        names, "serve", commands.serve, "Run one process with all roles or some, against servers that are there.",
        "CAREWRIGHT_SYSTEM_DATABASE_URL=postgresql://… carewright serve --roles scheduling --port 8081",
    )  # fmt: skip
    command.add_argument("--roles", default="all", help="comma-separated roles (default: all)")
    command.add_argument("--host", help="address to listen on")
    command.add_argument("--port", type=int, help="port to listen on")
    command.add_argument("--settings", type=Path, help="a TOML file with settings")


def _migrate(names: "Names") -> None:
    command = _command(names, "migrate", commands.migrate, "Bring the database up to date.", "carewright migrate --phase pre")
    _with_place(command)
    command.add_argument(
        "--phase", choices=("pre", "post", "all"), default="all", help="pre: before the new code starts; post: after the old has gone"
    )


def _demo(names: "Names") -> None:
    command = _command(
        names, "demo", commands.demo, "Build the demonstration hospital from a seed, in an empty database.", "carewright demo --seed 1"
    )
    _with_place(command)
    command.add_argument("--seed", type=int, default=1, help="the same seed gives the same hospital (default: 1)")
    command.add_argument(
        "--size", choices=("full", "tiny"), default="full", help="full: 1,200 beds; tiny: for a quick look (default: full)"
    )
    command.add_argument("--start", help="first day, as 2026-11-22 (default: today)")
    command.add_argument("--summary", action="store_true", help="only say what it would build")


def _import(names: "Names") -> None:
    command = _command(
        names, "import", commands.import_files, "Import resources from files.",
        "carewright import fhir exports/, import openemr dump.sql --mapping openemr.toml, or import hl7 archive/ --client ID",
    )  # fmt: skip
    _with_place(command)
    command.add_argument(
        "kind", choices=("fhir", "csv", "easyappointments", "openemr", "medplum", "hl7"),
        help="fhir: FHIR R4 NDJSON, plain or gzipped; csv: one file, by a mapping; easyappointments, openemr: a dump of "
        "its database; medplum: the Appointments of an export of FHIR R4, after fhir; hl7: an archive of HL7 v2 messages",
    )  # fmt: skip
    command.add_argument("paths", nargs="+", type=Path, metavar="PATH", help="fhir, hl7: folders or files; else one file")
    command.add_argument("--client", metavar="ID", help="hl7: the registered client that sent the messages (carewright client list)")
    command.add_argument("--mapping", type=Path, help="all but fhir and hl7: what is what there, as TOML (docs/howto/import-from-*.md)")
    command.add_argument("--draft", type=Path, metavar="FILE", help="of a dump: only write a mapping to fill in to this file")
    command.add_argument("--dry-run", action="store_true", help="all but fhir: read and look up everything, write nothing")
    command.add_argument("--organization", help="tenant to import into (default: the one this data directory belongs to)")
    command.add_argument("--time-zone", default="UTC", help="fhir: for sites whose address does not tell (default: UTC)")
    command.add_argument("--report", type=Path, help="write every rejected row with line and reason to this file as JSON")


def _legacy(names: "Names") -> None:
    whats = _group(
        names, "legacy", "Move from an older system service by service: mirror it, compare, switch, and back.",
        "carewright legacy report", "Move from an older system service by service (docs/howto/move-service-by-service.md).",
    )  # fmt: skip
    example = "carewright legacy {} 019a0000-0000-7000-8000-00000000000a --reason {}"
    begin = _command(
        whats, "begin", commands.legacy, "Make an older system master of a service: we only copy what it says.",
        example.format("begin", '"Podiatry goes first" --source urn:example:old-system --book-at "the old system, or 030 1234567"'),
    )  # fmt: skip
    begin.add_argument("--source", required=True, help="the older system's name, as its mappings have it")
    begin.add_argument("--book-at", required=True, metavar="TEXT", help="where to book instead, as patients and staff are told")
    switch = _command(
        whats, "switch", commands.legacy, "Make us master of a service: nothing more of it is taken from the older system.",
        example.format("switch", '"Three days without a difference"'),
    )  # fmt: skip
    switch.add_argument("--despite-differences", action="store_true", help="although the last report has some, or there is none")
    back = _command(
        whats, "back", commands.legacy, "Make the older system master of a service once more.",
        example.format("back", '"The desk has no printer yet"'),
    )  # fmt: skip
    for each in (begin, switch, back):
        each.add_argument("service", metavar="SERVICE", help="id of the service")
        each.add_argument("--site", action="append", default=[], metavar="ID", help="only there (may be given more than once)")
        each.add_argument("--reason", required=True, help="why, for those who ask later")
    mirror = _command(
        whats, "mirror", commands.legacy, "Copy an export of the older system, compare it with what we have, and keep a report.",
        "carewright legacy mirror visits.csv --mapping visits.toml",
    )  # fmt: skip
    mirror.add_argument("paths", nargs=1, type=Path, metavar="FILE", help="one CSV file with all its appointments from today on")
    mirror.add_argument("--mapping", type=Path, required=True, help="what its columns mean, as TOML (docs/howto/import-from-csv.md)")
    mirror.add_argument("--dry-run", action="store_true", help="compare with what is here; write nothing and keep no report")
    mirror.add_argument("--report", type=Path, help="write every rejected row with line and reason to this file as JSON")
    report = _command(
        whats, "report", commands.legacy, "Show how each service stands, and its last report; exit code 1 where somebody must look.",
        "carewright legacy report --json differences.json",
    )  # fmt: skip
    report.add_argument("--json", type=Path, metavar="FILE", help="write the reports to this file")
    for each in (begin, mirror, report, switch, back):
        _with_tenant(each)


def _calendar(names: "Names") -> None:
    whats = _group(
        names, "calendar", "Close a calendar when another one is busy.",
        "carewright calendar add SCHEDULE --time-zone Europe/Berlin --address https://calendar.example.org/busy.ics",
        "Close a calendar when another one (iCalendar) is busy.",
    )  # fmt: skip
    example = "carewright calendar {} 019a0000-0000-7000-8000-000000000001{}"
    add = _command(
        whats, "add", commands.calendar, "Name another calendar for one of ours, and print its id.",
        example.format("add", " --time-zone Europe/Berlin"),
    )  # fmt: skip
    add.add_argument("id", metavar="SCHEDULE", help="id of the calendar that is closed")
    add.add_argument("--time-zone", required=True, help="of whole days, and of times that name no zone")
    add.add_argument("--address", help="where it is fetched, every 15 minutes (https); without one, files are brought by `read`")
    read = _command(
        whats,
        "read",
        commands.calendar,
        "Read another calendar now: from its address, or from a file.",
        example.format("read", " busy.ics"),
    )
    drop = _command(whats, "drop", commands.calendar, "Forget another calendar, and open what it closed.", example.format("drop", ""))
    hit = _command(
        whats, "conflicts", commands.calendar, "List the appointments that stand where another calendar is busy.",
        example.format("conflicts", ""),
    )  # fmt: skip
    for each in (read, drop, hit):
        each.add_argument("id", metavar="ID", help="id of the other calendar")
    read.add_argument("file", nargs="?", type=Path, metavar="FILE", help="an .ics file")
    shown = _command(whats, "list", commands.calendar, "List other calendars, and how their last read ended.", "carewright calendar list")
    for each in (add, read, drop, hit, shown):
        _with_place(each)
        each.add_argument("--organization", help="whose calendars (default: the tenant this data directory belongs to)")


def _token(names: "Names") -> None:
    command = _command(names, "token", commands.token, "Print a signed, short-lived bearer token.", "carewright token --role front-desk")
    command.add_argument(
        "--data", type=Path, default=Path(os.environ.get("CAREWRIGHT_DATA", ".data")), help="data directory (default: .data)"
    )
    command.add_argument("--role", required=True, choices=sorted(ROLES), help="what the bearer may do")
    command.add_argument("--subject", help="who the bearer is (default: the role)")
    command.add_argument("--patient", help="for the role patient: whose record (default: the demonstration patient)")
    command.add_argument("--organization", help="tenant (default: the one this data directory belongs to)")
    command.add_argument("--minutes", type=int, default=60, help="how long it is valid, at most 1440 (default: 60)")


def _verify(names: "Names") -> None:
    command = _command(
        names,
        "verify",
        commands.verify,
        "Check a live database: nothing overlaps, nothing is lost, every event was handled.",
        "carewright verify",
    )
    _with_place(command)


def _audit(names: "Names") -> None:
    whats = _group(
        names, "audit", "Verify, export or look into the audit log.",
        "carewright audit verify --witness witness/checkpoints.txt",
    )  # fmt: skip
    verify = _command(
        whats, "verify", commands.audit, "Hold every entry against what was sealed, and that against checkpoints, in a bucket too.",
        "carewright audit verify --witness witness/checkpoints.txt",
    )  # fmt: skip
    verify.add_argument(
        "--witness", type=Path, action="append", default=[], metavar="FILE", help="checkpoints kept elsewhere (may be given more than once)"
    )
    verify.add_argument("--key", help="the verifier key, if not the one of this installation")
    export = _command(
        whats, "export", commands.audit, "Write the sealed log into a folder, for tools/verify_audit.py and others.",
        "carewright audit export audit-2026-11",
    )  # fmt: skip
    export.add_argument("folder", type=Path, metavar="DIR", help="where to; made if it is not there")
    key = _command(whats, "key", commands.audit, "Print the key that verifies the log's checkpoints.", "carewright audit key")
    unknown = _command(
        whats, "unknown", commands.audit,
        "Show who was turned away before anybody knew who they are, newest first. They belong to no hospital, so no page has them.",
        "carewright audit unknown --limit 20",
    )  # fmt: skip
    unknown.add_argument("--limit", type=int, choices=range(1, 201), metavar="N", default=50, help="how many, at most 200 (default: 50)")
    for each in (verify, export, key, unknown):
        _with_place(each)


def _events(names: "Names") -> None:
    command = _command(
        names, "events", commands.events, "Show consumers and parked events, or replay them.", "carewright events --replay scheduling"
    )
    _with_place(command)
    command.add_argument("--replay", metavar="CONSUMER", help="handle this consumer's parked events again, in order")


def _patient(names: "Names") -> None:
    command = _command(
        names, "patient", commands.patient, "Erase everything that tells who a patient is, for good.",
        "carewright patient erase 019a0000-0000-7000-8000-000000000001 --reason 'Asked for it by letter' --yes",
    )  # fmt: skip
    command.add_argument("what", choices=("erase",), help="erase: the record, all words about it, messages and the account")
    command.add_argument("id", metavar="ID", help="the patient's id")
    command.add_argument("--reason", required=True, help="why, in 3 to 500 letters; kept sealed")
    _with_place(command)
    command.add_argument("--organization", help="whose patient (default: the tenant this data directory belongs to)")
    command.add_argument("--yes", action="store_true", help="erase without asking back")


def _extract(names: "Names") -> None:
    command = _command(
        names, "extract", commands.extract, "Write past appointments without the persons, for training models.",
        "carewright extract --out visits.ndjson",
    )  # fmt: skip
    command.add_argument("--out", type=Path, required=True, metavar="FILE", help="a new file; NDJSON, readable by its owner only")
    command.add_argument(
        "--shifted-dates", action="store_true",
        help="with weekday, hour and a start shifted for each patient: not Safe Harbor any more, an expert has to determine the risk",
    )  # fmt: skip
    _with_place(command)
    command.add_argument("--organization", help="whose appointments (default: the tenant this data directory belongs to)")


def _keys(names: "Names") -> None:
    command = _command(
        names, "keys", commands.keys, "Rotate or destroy the keys of an organization's patients; rotate the key that signs tokens.",
        "carewright keys rotate",
    )  # fmt: skip
    command.add_argument(
        "what", choices=("rotate", "shred", "rewrap", "destroy", "rotate-tokens"),
        help="rotate: a new key, and everything sealed anew; shred: the same, and no older backup can be read any more; "
        "rewrap: the key above all in another place; destroy: nobody can read them any more; rotate-tokens: a new key for tokens",
    )  # fmt: skip
    _with_place(command)
    command.add_argument("--organization", help="whose keys (default: the tenant this data directory belongs to)")
    command.add_argument("--yes", action="store_true", help="shred or destroy without asking back")
    command.add_argument("--to", type=Path, metavar="FILE", help="with rewrap: a settings file whose [privacy] table says where to")
    command.add_argument("--revoke", action="store_true", help="with rotate-tokens: refuse at once whatever older keys signed")


def _incident(names: "Names") -> None:
    whats = _group(
        names, "incident", "Respond to a security incident, and look back at it.",
        'carewright incident respond --reason "Laptop of a nurse stolen" --end-sessions nurse-17',
        "Respond to a security incident, and look back at it. Works on the database, whether or not a server runs.",
    )  # fmt: skip
    respond = _command(
        whats, "respond", commands.incident, "Do everything that must happen at once, and say what came of each step.",
        'carewright incident respond --reason "Key leaked at the laboratory" --quarantine-client lab --quarantine-peer lab.example.org',
    )  # fmt: skip
    respond.add_argument("--reason", required=True, help="what happened, without details of patients")
    for option, what in (
        ("--end-sessions", "end the sessions and tokens of a user or client, as the audit log names them"),
        ("--quarantine-client", "take nothing from this client until it is released"),
        ("--quarantine-peer", "send nothing to this host until it is released"),
    ):
        respond.add_argument(option, action="append", default=[], metavar="NAME", help=f"{what} (may be given more than once)")
    respond.add_argument("--rotate-token-key", action="store_true", help="sign tokens with a new key, and refuse what older ones signed")
    respond.add_argument("--rotate-field-key", action="store_true", help="make a new key for patients' data, and seal everything anew")
    respond.add_argument("--no-notify", action="store_true", help="tell nobody")
    listed = _command(whats, "list", commands.incident, "Show open incidents and what is held back.", "carewright incident list")
    released = _command(whats, "release", commands.incident, "Release a client or a host.", "carewright incident release lab.example.org")
    released.add_argument("name", metavar="NAME", help="as it was quarantined")
    closed = _command(
        whats, "close", commands.incident, "Write down what was found.",
        'carewright incident close 01a1e9d5-8f2c-7000-8000-3d7a8775a2c8 --finding "The laptop was encrypted"',
    )  # fmt: skip
    closed.add_argument("id", metavar="ID", help="which incident")
    closed.add_argument("--finding", required=True, help="what was found")
    for each in (respond, listed, released, closed):
        _with_tenant(each)


def _hl7(names: "Names") -> None:
    whats = _group(
        names, "hl7", "Look at HL7 v2 messages that did not fit, map their codes, and try them again.",
        "carewright hl7 list", "Look at HL7 v2 messages that did not fit. Works on the database, whether or not a server runs.",
    )  # fmt: skip
    listed = _command(whats, "list", commands.hl7, "Show what waits, oldest first, with its reason.", "carewright hl7 list")
    show = _command(whats, "show", commands.hl7, "Print a message as it was sent: it tells of a patient.", "carewright hl7 show ID")
    replay = _command(whats, "replay", commands.hl7, "Try a message again, in its sender's name.", "carewright hl7 replay ID")
    replay.add_argument("--file", type=Path, help="the message as it should have been")
    settle = _command(whats, "settle", commands.hl7, "Take a message off the list that was seen to by hand.", "carewright hl7 settle ID")
    settle.add_argument("--reason", default="Seen to by hand", help="how it was seen to (default: Seen to by hand)")
    mapped = _command(
        whats, "map", commands.hl7, "Say what a code of others becomes.",
        "carewright hl7 map visit-type FOLLOWUP 019a0000-0000-7000-8000-00000000000b",
    )  # fmt: skip
    mapped.add_argument("table", help="visit-type, site, practitioner, calendar, cancellation-reason, status or authority")
    mapped.add_argument("code", help="the sender's code")
    mapped.add_argument("target", nargs="?", help="an id of the directory, or a code of ours; without one the code is not mapped any more")
    for each in (show, replay, settle):
        each.add_argument("id", help="the message's id")
    for each in (listed, show, replay, settle, mapped, *_partner(whats), *_unsent(whats)):
        _with_tenant(each)


def _partner(names: "Names") -> Sequence[argparse.ArgumentParser]:
    whats = _group(
        names, "partner", "Tell other systems of appointments.",
        "carewright hl7 partner list", "Tell other systems of appointments, in HL7 v2.",
    )  # fmt: skip
    add = _command(
        whats, "add", commands.partner, "Tell a system of appointments from now on, and print its id.",
        "carewright hl7 partner add --name EHR --address mllps://ehr.hospital.example:2575",
    )  # fmt: skip
    change = _command(
        whats, "change", commands.partner, "Tell a system otherwise from now on; what is not said stays.",
        "carewright hl7 partner change ID --processing P",
    )  # fmt: skip
    for each in (add, change):
        each.add_argument("--name", required=each is add, help="what people call it")
        each.add_argument("--address", required=each is add, help="mllps://HOST:PORT, mllp://HOST:PORT (here, or a tunnel) or https://…")
        each.add_argument("--client", dest="client_id", help="the registered client that the same system is when it sends to us")
        each.add_argument("--hl7-version", dest="version", help="2.3.1, 2.4, 2.5 or 2.5.1 (default)")
        each.add_argument("--charset", help="a name of table 0211 (default: UNICODE UTF-8)")
        each.add_argument("--processing", help="what its messages are for: P (production, the default), T (training) or D (debugging)")
        each.add_argument(
            "--token-file",
            type=Path,
            help="a file with the bearer token that it is shown over HTTPS; empty: none. A new host needs its own",
        )
        for place in ("sending", "receiving"):
            for what in ("application", "facility"):
                each.add_argument(f"--{place}-{what}", help=f"the message's {place} {what}")
    listed = _command(whats, "list", commands.partner, "List whom we tell.", "carewright hl7 partner list")
    stop = _command(whats, "stop", commands.partner, "Tell a system nothing more.", "carewright hl7 partner stop ID")
    mapped = _command(
        whats, "map", commands.partner, "Say what one of ours is called at a partner.",
        "carewright hl7 partner map ID visit-type 019a0000-0000-7000-8000-00000000000b FOLLOWUP",
    )  # fmt: skip
    for each in (change, stop, mapped):
        each.add_argument("id", help="the partner's id")
    mapped.add_argument("table", help="visit-type, site, practitioner, calendar, cancellation-reason or authority")
    mapped.add_argument("ours", help="an id of the directory, a code of ours, or the system of identifiers")
    mapped.add_argument("theirs", nargs="?", help="the partner's code; without one it has none any more")
    return add, change, listed, stop, mapped


def _unsent(names: "Names") -> Sequence[argparse.ArgumentParser]:
    whats = _group(
        names, "unsent", "Look at what partners did not take, and send it again.",
        "carewright hl7 unsent list", "What partners did not take.",
    )  # fmt: skip
    listed = _command(whats, "list", commands.unsent, "Show it, oldest first, with the partner's answer.", "carewright hl7 unsent list")
    show = _command(
        whats, "show", commands.unsent, "Print a message as it was sent: it tells of a patient.", "carewright hl7 unsent show ID"
    )  # fmt: skip
    resend = _command(
        whats, "resend", commands.unsent, "Make a message anew, with the codes of now, and send it.", "carewright hl7 unsent resend ID"
    )  # fmt: skip
    drop = _command(whats, "drop", commands.unsent, "Give a message up: those behind it go on.", "carewright hl7 unsent drop ID")
    for each in (show, resend, drop):
        each.add_argument("id", help="the message's id")
    return listed, show, resend, drop


def _cds(names: "Names") -> None:
    whats = _group(
        names, "cds", "Ask services of others before a booking, by CDS Hooks.",
        "carewright cds add payer --base https://payer.example.org/r4 --service appointment-book",
        "Ask services of others before a booking.",
    )  # fmt: skip
    add = _command(
        whats, "add", commands.cds, "Ask a service, which must offer itself for the hook appointment-book.",
        "carewright cds add payer --base https://payer.example.org/r4 --service appointment-book",
    )  # fmt: skip
    listed = _command(whats, "list", commands.cds, "List the services that are asked.", "carewright cds list")
    remove = _command(whats, "remove", commands.cds, "Ask a service no more.", "carewright cds remove payer")
    for each in (add, remove):
        each.add_argument("name", help="what we call it: small letters, digits and dashes")
    add.add_argument("--base", required=True, metavar="URL", help="its address, before /cds-services")
    add.add_argument("--service", required=True, metavar="ID", help="which of its services")
    add.add_argument("--site", action="append", default=[], metavar="ID", help="only at this site (may be given more than once)")
    for each in (add, listed, remove):
        _with_tenant(each)


def _client(names: "Names") -> None:
    whats = _group(
        names, "client", "Let other systems and apps in, and shut them out.",
        "carewright client add --name Laboratory --scope scheduling.find --keys lab.jwks.json", "Let other systems ask for tokens.",
    )  # fmt: skip
    add = _command(
        whats, "add", commands.client, "Register a client and print its id.",
        "carewright client add --name Laboratory --scope scheduling.find --keys-address https://lab.example.org/jwks.json",
    )  # fmt: skip
    add.add_argument("--name", required=True, help="what people call it")
    add.add_argument("--scope", action="append", required=True, metavar="PERMISSION", help="what it may do (may be given more than once)")
    add.add_argument("--site", action="append", default=[], metavar="ID", help="only at this site (may be given more than once)")
    add.add_argument("--issuer", metavar="URL", help="how it names itself where it signs every request, as CDS Hooks has it")
    add.add_argument(
        "--redirect",
        action="append",
        default=[],
        metavar="URL",
        help="an app, to which people are sent back here (may be given more than once)",
    )
    add.add_argument("--launch", metavar="URL", help="an app that the staff start about a patient: where it begins")
    listed = _command(whats, "list", commands.client, "List clients.", "carewright client list")
    keys = _command(
        whats, "keys", commands.client, "Give a client other keys; its tokens end.", "carewright client keys ID --keys new.jwks.json"
    )  # fmt: skip
    disable = _command(whats, "disable", commands.client, "Shut a client out; its tokens end.", "carewright client disable ID")
    enable = _command(whats, "enable", commands.client, "Let a client in again.", "carewright client enable ID")
    for each in (add, keys):
        known_by = each.add_mutually_exclusive_group(required=each is keys)
        known_by.add_argument("--keys", type=Path, metavar="FILE", help="its public keys, a JWK set")
        known_by.add_argument("--keys-address", metavar="URL", help="where it publishes them")
    for each in (keys, disable, enable):
        each.add_argument("id", help="the client's id")
    for each in (add, listed, keys, disable, enable):
        _with_tenant(each)


def _roles(names: "Names") -> None:
    _command(names, "roles", commands.roles, "List the roles a process can run, and what each serves.", "carewright roles")
