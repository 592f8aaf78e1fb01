"""Find, hold, book, read, search and cancel with fhirpy, as its documentation has it."""

import asyncio
import json
import sys
from typing import Any

from fhirpy import AsyncFHIRClient


def named(**references: str) -> dict[str, Any]:
    given = [{"name": name.replace("_", "-"), "valueReference": {"reference": place}} for name, place in references.items()]
    return {"resourceType": "Parameters", "parameter": given}


async def visit(told: dict[str, str]) -> dict[str, Any]:
    client = AsyncFHIRClient(told["base"], authorization=f"Bearer {told['token']}")
    wanted = {"start": told["start"], "end": told["end"], "visit-type": told["visit_type"], "_count": 5}
    found = (await client.execute("Appointment/$find", method="get", params=wanted))["entry"][0]["resource"]
    asked = named(appointment_reference=f"Appointment/{found['id']}", patient_reference=told["patient"])
    held = (await client.execute("Appointment/$hold", method="post", data=asked))["entry"][0]["resource"]
    asked = named(appointment_reference=f"Appointment/{held['id']}")
    booked = (await client.execute("Appointment/$book", method="post", data=asked))["entry"][0]["resource"]
    read = await client.reference("Appointment", booked["id"]).to_resource()
    listed = await client.resources("Appointment").search(patient=told["patient"]).sort("-date").fetch_all()
    read["status"] = "cancelled"
    await read.save()
    return {
        "id": read["id"], "listed": [each["id"] for each in listed],
        "statuses": [found["status"], held["status"], booked["status"], read["status"]],
    }  # fmt: skip


json.dump(asyncio.run(visit(json.load(sys.stdin))), sys.stdout)
