"""The commands of EHR connections, and of the made-up systems that they can be tried with."""

from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from carewright.cli import commands
from carewright.cli.words import add_command, add_group, with_tenant

if TYPE_CHECKING:
    from carewright.cli.words import Names

LIES = ("none", "trace", "member", "birth", "cut", "counts", "garbage", "kind")
MODES = ("polling", "subscription")


def add_ehr(names: "Names") -> None:
    """`carewright ehr`."""
    whats = add_group(
        names, "ehr", "Connect an electronic health record, pull from it, and see where the two differ.",
        "carewright ehr pull main", "Connect an electronic health record. Works on the database, whether or not a server runs.",
    )  # fmt: skip
    add = add_command(
        whats, "add", commands.ehr, "Add an EHR, and print the public key by which it is to know us.",
        "carewright ehr add main --profile oracle --base https://ehr.example.org/r4/TENANT --client-id ID",
    )  # fmt: skip
    listed = add_command(whats, "list", commands.ehr, "List EHRs.", "carewright ehr list")
    mapped = add_command(
        whats, "map", commands.ehr, "Say what their visits are here.", "carewright ehr map main 11 019a0000-0000-7000-8000-00000000000b",
    )  # fmt: skip
    pull = add_command(whats, "pull", commands.ehr, "Ask an EHR for everything now.", "carewright ehr pull main")
    push = add_command(whats, "push", commands.ehr, "Tell an EHR of the appointments that it does not have.", "carewright ehr push main")
    retry = add_command(whats, "retry", commands.ehr, "Tell an EHR again what it could not be told.", "carewright ehr retry main")
    reconcile = add_command(whats, "reconcile", commands.ehr, "Report what differs, by counts and ids.", "carewright ehr reconcile main")
    act = commands.ehr_connection
    mode = add_command(
        whats, "mode", act, "Say whether we ask again and again, or the EHR wakes us besides.",
        "carewright ehr mode main subscription",
    )  # fmt: skip
    stop = add_command(whats, "stop", act, "Ask an EHR nothing and tell it nothing, until resumed.", "carewright ehr stop main")
    resume = add_command(whats, "resume", act, "Ask and tell again, and tell what changed meanwhile.", "carewright ehr resume main")
    named = (add, mapped, pull, push, retry, reconcile, mode, stop, resume)
    for each in named:
        each.add_argument("name", help="what we call it: small letters, digits and dashes")
    mapped.add_argument("code", help="their code, or SYSTEM|CODE")
    mapped.add_argument("target", nargs="?", help="a visit type's id; without one the code is nothing here any more")
    add.add_argument("--profile", choices=("epic", "oracle", "r4"), required=True, help="whose habits it has; r4: a plain FHIR R4 server")
    add.add_argument("--mode", choices=MODES, default=MODES[0], help="how we hear of changes there (default: polling)")
    mode.add_argument("mode", choices=MODES, help="subscription needs a profile that offers it, and CAREWRIGHT_EHR_PUBLIC_URL")
    add.add_argument("--base", required=True, metavar="URL", help="where its FHIR R4 is")
    add.add_argument("--client-id", required=True, help="what it calls us")
    add.add_argument("--patients-system", default="", metavar="URI", help="the system of its patients' numbers")
    add.add_argument(
        "--master", action="append", default=[], metavar="KIND=WHO",
        help="whose word counts for Practitioner, Location, Patient or Appointment: theirs, ours or newest (may be given more than once)",
    )  # fmt: skip
    for each in (listed, *named):
        with_tenant(each)


def add_mock(names: "Names") -> None:
    """`carewright mock`."""
    whats = add_group(
        names, "mock", "Run somebody else's system, made up, to build and test against.",
        "carewright mock ehr --profile oracle --port 8090",
    )  # fmt: skip
    ehr = add_command(
        whats, "ehr", commands.mock, "An electronic health record that speaks FHIR R4 with the habits of one of three, on this machine.",
        "carewright mock ehr --profile oracle --port 8090 --keys carewright.jwks.json",
    )  # fmt: skip
    ehr.add_argument("--profile", choices=("epic", "oracle", "r4"), default="epic", help="whose habits (default: epic); r4: a plain server")
    ehr.add_argument("--port", type=int, default=8090, help="port to listen on (default: 8090; 0 takes a free one)")
    ehr.add_argument("--seed", type=int, default=1, help="the same seed and day give the same people and times (default: 1)")
    ehr.add_argument("--start-on", type=date.fromisoformat, metavar="DATE", help="the first day that has times (default: today)")
    ehr.add_argument("--patients", type=int, default=40, help="how many patients there are (default: 40)")
    ehr.add_argument("--client-id", default="carewright", help="who may ask for tokens (default: carewright)")
    ehr.add_argument("--keys", type=Path, metavar="FILE", help="the client's public keys, a JWK set; without them no token is needed")
    ehr.add_argument(
        "--requests-per-minute", type=int, default=6_000, metavar="N", help="beyond these it answers 429 with Retry-After (default: 6000)"
    )
    ehr.add_argument("--slow", type=float, default=0.0, metavar="SECONDS", help="wait before every answer")
    ehr.add_argument("--endless-pages", action="store_true", help="begin again after the last page of every search")
    ehr.add_argument("--lie", action="store_true", help="tell wrong totals, another order and wrong types")
    ehr.add_argument("--fail-every", type=int, default=0, metavar="N", help="answer every Nth request with 500")
    _mock_eligibility(whats)


def _mock_eligibility(whats: "Names") -> None:
    house = add_command(
        whats, "eligibility", commands.mock_eligibility,
        "A clearing-house that answers X12 270 and 278, and Da Vinci PAS, by HTTP, on this machine.",
        "carewright mock eligibility --port 8091 --slow 30",
    )  # fmt: skip
    house.add_argument("--port", type=int, default=8091, help="port to listen on (default: 8091; 0 takes a free one)")
    house.add_argument("--slow", type=float, default=0.0, metavar="SECONDS", help="wait before every answer")
    house.add_argument("--away", type=int, default=0, metavar="N", help="answer the first N questions with 503")
    house.add_argument("--lie", choices=LIES, default="none", help="answer every question with this lie")
