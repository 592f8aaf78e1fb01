"""Run every benchmark, or some: `python -m bench --only find booking`."""

import argparse
import asyncio
import sys
import time
from datetime import UTC, datetime
from functools import partial
from typing import Any

import uvloop

from bench import (
    access,
    audit,
    availability,
    booking,
    bulk,
    delays,
    fhir,
    find,
    growth,
    hl7,
    hot,
    live,
    memory,
    overload,
    patients,
    queue,
    report,
    search,
    subscriptions,
    waiting,
)
from bench.world import Ground, ground, sections_of, system
from carewright.roles.demo import Demonstration, load_demo
from carewright.simulation.hospital.storing import example_patient, hospital_of, store

LONE = {
    "booking": booking, "audit": audit, "access": access, "hot": hot, "growth": growth, "fhir": fhir, "bulk": bulk, "hl7": hl7,
    "subscriptions": subscriptions, "queue": queue, "delays": delays, "overload": overload, "live": live,
}  # fmt: skip
"""Parts that make what they need themselves."""
PARTS = ("availability", "waiting", "find", "memory", *LONE, "search", "patients")
PATIENTS = 1_000_000
APPOINTMENTS = 5_000_000
SEED = 1


def main() -> int:
    """Measure what was asked for, and write it into docs/benchmarks.md."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__, epilog="example: python -m bench --only find booking")
    parser.add_argument("--only", nargs="+", choices=PARTS, default=list(PARTS), help="which parts (default: all)")
    parser.add_argument("--patients", type=int, default=PATIENTS, help="how many to search among (default: 1,000,000)")
    parser.add_argument("--appointments", type=int, default=APPOINTMENTS, help="how many to search among (default: 5,000,000)")
    options = parser.parse_args()
    results = uvloop.run(_run(options.only, options.patients, options.appointments))
    machine = report.machine()
    sections = {name: report.section(name, rows, machine) for name, rows in results.items()}
    print("\n\n".join(sections.values()))
    report.write(sections)
    print("bench: wrote docs/benchmarks.md", file=sys.stderr)
    return 0


async def _run(parts: list[str], patient_count: int, appointment_count: int) -> dict[str, list[dict[str, Any]]]:
    results: dict[str, list[dict[str, Any]]] = {}
    if "availability" in parts:
        _tell("the kernel of availability")
        results["availability"] = await asyncio.to_thread(availability.main)
    if "waiting" in parts:
        _tell("how long people wait")
        results["waiting"] = await asyncio.to_thread(waiting.main)
    async with ground() as ground_:
        if {"find", "memory"} & set(parts):
            results |= await _hospital(ground_, parts)
            for name in ("demo", "find", "memory"):
                print("\n".join(["", report.TITLES[name], *report.table(results.get(name, []))]), flush=True)
        for name, part in LONE.items():
            if name in parts:
                results[name] = await part.measure(ground_, _tell)
                print("\n".join(["", report.TITLES[name], *report.table(results[name])]), flush=True)
        if "search" in parts:
            results["search"] = await search.measure(ground_, appointment_count, _tell)
        if "patients" in parts:
            results["patients"] = await patients.measure(ground_, patient_count, _tell)
    return results


async def _hospital(ground_: Ground, parts: list[str]) -> dict[str, list[dict[str, Any]]]:
    """The parts that ask the demonstration hospital. Loading it is a figure, too."""
    dsn = await ground_.database("hospital")
    sections = await sections_of(ground_, dsn)
    began = time.perf_counter()
    hospital = hospital_of(SEED, datetime.now(UTC).date(), "full")
    built = time.perf_counter()
    await load_demo(sections, Demonstration(hospital.organization_id, example_patient(hospital), partial(store, hospital)), _tell)
    loaded = time.perf_counter()
    results: dict[str, list[dict[str, Any]]] = {
        "demo": [
            {"what": "build from the seed", "seconds": built - began},
            {"what": "load by COPY", "seconds": loaded - built},
            {"what": "both", "seconds": loaded - began},
        ]
    }
    organization_id = hospital.organization_id
    del hospital
    async with system(ground_, dsn) as started:
        if "find" in parts:
            results["find"] = await find.measure(started, ground_, organization_id, dsn, _tell)
        if "memory" in parts:
            results["memory"] = await memory.measure(started, ground_, dsn, organization_id)
    return results


def _tell(line: str) -> None:
    print(f"bench: {line}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
