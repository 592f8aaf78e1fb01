"""One tenant, a process to work with and another on the same database, with the few words tests need for them."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from carewright.contracts.hours import BlockTime, Override
from carewright.contracts.scheduling import (
    Appointment,
    BookAppointment,
    CancelAppointment,
    HoldTime,
)
from carewright.contracts.starts import FindTimes
from carewright.kernel.context import Once
from carewright.scheduling import checks
from carewright.scheduling.context import SchedulingContext
from carewright.scheduling.service import book, calendars, change, find
from tests.scheduling_world import MONDAY, REASON, Process, World, same_as_fresh

TOMORROW = MONDAY + timedelta(days=1)
HALF_HOUR = timedelta(minutes=30)


@dataclass(frozen=True, slots=True)
class Hospital:
    """A tenant of the test's own, one process to work with, and another on the same database."""

    here: Process
    there: Process
    world: World

    def desk(self, process: Process | None = None, once: Once | None = None) -> SchedulingContext:
        return (process or self.here).acting("scheduler", self.world, once=once)

    def patient(self, number: int = 0, process: Process | None = None, once: Once | None = None) -> SchedulingContext:
        return (process or self.here).acting("patient", self.world, patient_id=self.world.patients[number], once=once)

    def physician(self, number: int = 0) -> UUID:
        return self.world.of("practitioner")[number].id

    async def book(self, start: datetime = TOMORROW, patient: int = 0, physician: int = 0, process: Process | None = None) -> Appointment:
        time = self.world.at(self.world.kinds.solo, start, self.physician(physician))
        command = BookAppointment(time=time, patient_id=self.world.patients[patient])
        return await book.book_appointment(self.desk(process), command)

    async def override(self, start: datetime = TOMORROW, patient: int = 0, physician: int = 0) -> Appointment:
        time = self.world.at(self.world.kinds.solo, start, self.physician(physician))
        command = BookAppointment(time=time, patient_id=self.world.patients[patient], override=Override(reason=REASON))
        return await book.book_appointment(self.desk(), command)

    async def hold(
        self, start: datetime = TOMORROW, patient: int = 0, process: Process | None = None, once: Once | None = None
    ) -> Appointment:
        command = HoldTime(time=self.world.at(self.world.kinds.solo, start, self.physician()), patient_id=self.world.patients[patient])
        return await book.hold_time(self.patient(patient, process, once), command)

    async def block(self, start: datetime, minutes: int = 30, process: Process | None = None) -> Any:
        command = BlockTime(schedule_id=self.physician(), start=start, end=start + timedelta(minutes=minutes), reason=REASON)
        return await calendars.block_time(self.desk(process), command)

    async def cancel(self, appointment: Appointment, process: Process | None = None) -> Appointment:
        return await change.cancel_appointment(self.desk(process), CancelAppointment(appointment_id=appointment.id))

    async def starts(self, process: Process | None = None, physician: int = 0) -> list[datetime]:
        """Tomorrow's free starts with one physician."""
        query = FindTimes(
            visit_type_id=self.world.kinds.solo.id, site_id=self.world.city.id, practitioner_id=self.physician(physician),
            from_at=TOMORROW, until_at=TOMORROW + timedelta(hours=8), limit=200,
        )  # fmt: skip
        return [slot.start for slot in (await find.find_times(self.desk(process), query)).items]

    async def ensure_sound(self) -> None:
        for check in checks.CHECKS.values():
            assert await check(self.desk()) == []
        for process in (self.here, self.there):
            await process.settle()
            assert await same_as_fresh(process, self.world)
