"""Several appointments of one kind, some days apart: booked together, or not at all."""

from typing import Annotated
from uuid import UUID

import msgspec
from msgspec import Meta

from carewright.contracts.scheduling import Appointment, PickedTime
from carewright.kernel.values import ShortText


class BookSeries(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """`count` visits, `every_days` apart at the same local time, all or none. `same_practitioner` keeps the first one's."""

    patient_id: UUID
    first: PickedTime
    count: Annotated[int, Meta(ge=2, le=52)]
    every_days: Annotated[int, Meta(ge=1, le=90)] = 7
    same_practitioner: bool = True
    based_on: ShortText | None = None


class Series(msgspec.Struct, frozen=True, kw_only=True):
    id: UUID
    appointments: tuple[Appointment, ...]
