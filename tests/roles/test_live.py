"""Live pages where the console, access and scheduling may each be a process of their own: facts arrive, and sign-out ends the stream."""

from tests.clinic import ok, open_clinic, register
from tests.staff_browser import staff_signed_in
from tests.system import System
from tests.watching import place_of, session_of, staff_base, watching


async def test_the_pages_process_tells_what_another_books_and_hears_that_a_session_ended(system: System) -> None:
    clinic = await open_clinic(system)
    desk = await staff_signed_in(system, "front-desk")
    await desk.go(f"/staff/today?place={clinic.site_id}")
    async with watching(staff_base(system), session_of(desk), clinic.site_id, place_of(desk.text)) as stream:
        await stream.until("beat")
        visit = ok(await clinic.book(await register(system), (await clinic.free())[0]), 201)["id"]
        assert (await stream.fact())["id"] == visit
        await desk.go("/staff")
        await desk.send("/staff/sign-out")
        await stream.until("ended")
    await desk.client.aclose()
