"""The patients' pages ask the other modules through their Protocols: the same in one process, through JSON, and over the wire."""

import asyncio
import re
from uuid import UUID, uuid4

from tests.clinic import Clinic, ok, register
from tests.plain_browser import Browser, browser, newest_text
from tests.system import System

ENDED_EVERYWHERE_SECONDS_MAX = 10
"""Processes remember whose a session is for a second."""


async def test_the_demonstration_patient_signs_in_by_the_code_in_the_inbox_and_out_again(system: System) -> None:
    async with browser(system) as client:
        me = Browser(client)
        await me.go("/appointments")
        assert me.path == "/sign-in"
        await me.go("/sign-in?example=1&next=/appointments")
        typed = typed_in(me.text)
        await me.send("/sign-in", **typed)
        assert me.path == "/sign-in/code"
        await me.send("/sign-in/code", code=(await newest_text(client, typed["contact"], "is your code"))[:8])
        assert me.path == "/appointments"
        session = client.cookies["carewright_session"]
        assert session.startswith("cws_")
        await me.send("/sign-out")
        assert (me.path, "carewright_session" in client.cookies) == ("/sign-in", False)
        client.cookies.set("carewright_session", session)
        async with asyncio.timeout(ENDED_EVERYWHERE_SECONDS_MAX):
            while (await client.get("/appointments")).url.path != "/sign-in":  # noqa: ASYNC110  (another process sets no asyncio.Event)
                await asyncio.sleep(0.1)


async def test_a_patient_is_told_what_became_of_their_appointment(clinic: Clinic) -> None:
    system, number = clinic.system, f"+1 312 555{uuid4().int % 10000:04d}"
    body = {"family": "Beispiel", "given": ["Test"], "language": "es", "telecom": [{"system": "phone", "value": number}]}
    patient = UUID(ok(await system.request("front-desk", "POST", "/api/v1/patients", json=body), 201)["id"])
    booked = ok(await clinic.book(patient, (await clinic.free())[0]), 201)
    async with browser(system) as client:
        assert "su cita está reservada" in await newest_text(client, number, "reservada")
        ok(await clinic.step(booked["id"], "cancel", {}))
        text = await newest_text(client, number, "cancelada")
    assert "está cancelada" in text
    for secret in ("Beispiel", booked["visit_type_name"], booked["service_name"]):
        assert secret not in text, "a message says nothing of who comes for what"


def typed_in(page: str) -> dict[str, str]:
    """What stands in the fields of the sign-in form."""
    fields = re.findall(r'<input id="(contact|month|day|year)"[^>]* value="([^"]+)"', page)
    assert len(fields) == 4, page
    return dict(fields)


async def test_a_patient_books_moves_and_cancels_on_the_pages(clinic: Clinic) -> None:
    system, patient = clinic.system, await register(clinic.system)
    async with browser(system) as client:
        client.cookies.set("carewright_session", await system.session(patient))
        me = Browser(client)
        await me.go("/")
        assert clinic.service_id in me.text
        await me.go(f"/services/{clinic.service_id}")
        assert f"/visits/{clinic.visit_type_id}/times" in me.text

        await me.go(f"/visits/{clinic.visit_type_id}/times")
        first, later = me.forms.slots[0], me.forms.slots[-1]
        await me.send(f"/visits/{clinic.visit_type_id}/hold", slot=first)
        hold_path = me.path
        assert hold_path.startswith("/holds/")
        appointment_id = hold_path.rpartition("/")[2]
        await me.send(f"{hold_path}/book", note="I come with my dog.")
        assert me.path == f"/appointments/{appointment_id}"
        booked = await clinic.appointment(appointment_id)
        assert (booked["status"], booked["patient_id"]) == ("booked", str(patient))

        await me.go(f"/appointments/{appointment_id}/move?slot={later}")
        await me.send(f"/appointments/{appointment_id}/move")
        moved = await clinic.appointment(appointment_id)
        assert (moved["status"], moved["start"] > booked["start"]) == ("booked", True)

        await me.go(f"/appointments/{appointment_id}/cancel")
        await me.send(f"/appointments/{appointment_id}/cancel")
        assert (await clinic.appointment(appointment_id))["status"] == "cancelled"
        await me.go("/appointments")
        assert appointment_id in me.text
