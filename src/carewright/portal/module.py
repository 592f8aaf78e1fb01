"""Wiring of the portal."""

from collections.abc import Callable
from dataclasses import fields
from typing import Any

import msgspec

from carewright.contracts.access import Access, PasskeyAdded, PasskeyRemoved
from carewright.contracts.calendars import CalendarFeeds
from carewright.contracts.directory import Directory
from carewright.contracts.elsewhere import TurnElsewhere
from carewright.contracts.flow import AppointmentExpected, Delays, Kiosks, QueueEntryMoved, Queues, TurnSoon
from carewright.contracts.notifications import Notifications
from carewright.contracts.offers import OfferMade
from carewright.contracts.patients import Patients
from carewright.contracts.records import Records
from carewright.contracts.scheduling import (
    AppointmentBooked,
    AppointmentCancelled,
    AppointmentConfirmed,
    AppointmentRequested,
    AppointmentRescheduled,
    Offers,
    Scheduling,
)
from carewright.kernel.authz import Bearers
from carewright.kernel.context import Context
from carewright.kernel.modules import Module, Running
from carewright.kernel.sealed import Sealer
from carewright.portal import handlers
from carewright.portal.context import HOST, PortalContext
from carewright.portal.http.pages import PRIORITIES, pages
from carewright.portal.jobs import JOBS
from carewright.portal.settings import PortalSettings


async def start(base: Context, settings: PortalSettings, resolve: Callable[[type], Any]) -> Running:
    """The portal keeps nothing: it runs as soon as those whom it asks can be reached."""
    world = {field.name: getattr(base, field.name) for field in fields(Context)}
    context = PortalContext(
        **world,
        settings=settings,
        bearers=resolve(Bearers),
        sealer=resolve(Sealer),
        host=msgspec.structs.replace(base.actor, permissions=base.actor.permissions & HOST),
        directory=resolve(Directory),
        patients=resolve(Patients),
        scheduling=resolve(Scheduling),
        offers=resolve(Offers),
        access=resolve(Access),
        notifications=resolve(Notifications),
        records=resolve(Records),
        calendar_feeds=resolve(CalendarFeeds),
        queues=resolve(Queues),
        delays=resolve(Delays),
        kiosks=resolve(Kiosks),
    )
    return Running(context)


MODULE = Module(
    name="portal",
    start=start,
    settings=PortalSettings,
    needs=(Directory, Patients, Scheduling, Offers, Access, Notifications, Records, CalendarFeeds, Queues, Delays, Kiosks),
    prefixes=(
        "/services",
        "/visits",
        "/holds",
        "/appointments",
        "/sign-in",
        "/sign-out",
        "/devices",
        "/apps",
        "/inbox",
        "/my-record",
        "/my-calendar",
        "/my-turn",
        "/answer",
        "/static",
        "/",
    ),
    subscriptions={
        AppointmentBooked: handlers.confirm_booked,
        AppointmentConfirmed: handlers.confirm_booked,
        AppointmentRequested: handlers.confirm_requested,
        AppointmentRescheduled: handlers.confirm_rescheduled,
        AppointmentCancelled: handlers.confirm_cancelled,
        OfferMade: handlers.ask_by_offer,
        QueueEntryMoved: handlers.call_in,
        AppointmentExpected: handlers.tell_of_delay,
        TurnSoon: handlers.ask_near,
        TurnElsewhere: handlers.tell_elsewhere,
        PasskeyAdded: handlers.tell_of_added_passkey,
        PasskeyRemoved: handlers.tell_of_removed_passkey,
    },
    jobs=JOBS,
    has_tables=False,
    pages=pages,
    priorities=PRIORITIES,
)
