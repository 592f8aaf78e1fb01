"""Find, hold, book, read, search and cancel with fhirclient (SMART's client-py), whose models check every resource they are made of."""

import json
import sys
from typing import Any

from fhirclient.client import FHIRClient
from fhirclient.models.appointment import Appointment
from fhirclient.models.bundle import Bundle
from fhirclient.models.parameters import Parameters


def named(**references: str) -> dict[str, Any]:
    given = [{"name": name.replace("_", "-"), "valueReference": {"reference": place}} for name, place in references.items()]
    shown: dict[str, Any] = Parameters({"resourceType": "Parameters", "parameter": given}).as_json()
    return shown


def first(bundle: dict[str, Any]) -> Any:
    return Bundle(bundle).entry[0].resource


def visit(told: dict[str, str]) -> dict[str, Any]:
    server = FHIRClient(settings={"app_id": "test", "api_base": told["base"] + "/"}).server
    server.session.headers["Authorization"] = f"Bearer {told['token']}"
    wanted = f"start={told['start']}&end={told['end']}&visit-type={told['visit_type']}&_count=5"
    found = first(server.request_json(f"Appointment/$find?{wanted}"))
    asked = named(appointment_reference=f"Appointment/{found.id}", patient_reference=told["patient"])
    held = first(server.post_json("Appointment/$hold", asked).json())
    booked = first(server.post_json("Appointment/$book", named(appointment_reference=f"Appointment/{held.id}")).json())
    read = Appointment.read(booked.id, server)
    listed = Appointment.where({"patient": told["patient"]}).perform_resources(server)
    read.status = "cancelled"
    ended = Appointment(read.update(server))
    return {
        "id": ended.id, "listed": [each.id for each in listed], "statuses": [found.status, held.status, booked.status, ended.status]
    }  # fmt: skip


json.dump(visit(json.load(sys.stdin)), sys.stdout)
