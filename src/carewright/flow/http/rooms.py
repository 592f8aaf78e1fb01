"""Rooms and beds over HTTP: parse, call one use case, answer."""

import msgspec

from carewright.contracts.flow import (
    NoPlaceFree,
    PlaceNotFree,
    PlaceNotSuited,
    PlaceStepNotAllowed,
    StatusNotAllowed,
    UnknownEncounter,
    UnknownPlace,
)
from carewright.contracts.rooms import (
    AssignPlace,
    ClosedReason,
    CountPlaces,
    ListPlaces,
    Place,
    PlaceAction,
    PlaceCounts,
    PlacesPage,
    Precautions,
    ProposedPlaces,
    ProposePlaces,
    SetPrecautions,
    StepPlace,
)
from carewright.flow.service import rooms
from carewright.kernel.context import Context
from carewright.kernel.http.routes import Call, Nothing, Route
from carewright.kernel.priority import Priority

PLACES = "/api/v1/places"


class StepPlaceBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What is done with a place, and why it is closed."""

    action: PlaceAction
    reason: ClosedReason = "other"


class PrecautionsBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a place is fit for."""

    precautions: Precautions


async def list_places(ctx: Context, call: Call[ListPlaces, Nothing]) -> PlacesPage:
    """The board of a site's rooms and beds."""
    return await rooms.list_places(ctx, call.query)


async def count_places(ctx: Context, call: Call[CountPlaces, Nothing]) -> PlaceCounts:
    """How full a site's rooms and beds are."""
    return await rooms.count_places(ctx, call.query)


async def get_place(ctx: Context, call: Call[Nothing, Nothing]) -> Place:
    """How one place stands."""
    return await rooms.get_place(ctx, call.path["place_id"])


async def propose_places(ctx: Context, call: Call[Nothing, ProposePlaces]) -> ProposedPlaces:
    """Where somebody could go, and why there."""
    return await rooms.propose_places(ctx, call.body)


async def assign_place(ctx: Context, call: Call[Nothing, AssignPlace]) -> Place:
    """Put somebody into a room or a bed."""
    return await rooms.assign_place(ctx, call.body)


async def step_place(ctx: Context, call: Call[Nothing, StepPlaceBody]) -> Place:
    """Vacate, discharge, ready, close or open."""
    command = StepPlace(place_id=call.path["place_id"], expected_version=call.version, **msgspec.structs.asdict(call.body))
    return await rooms.step_place(ctx, command)


async def set_precautions(ctx: Context, call: Call[Nothing, PrecautionsBody]) -> Place:
    """What a place is fit for."""
    command = SetPrecautions(place_id=call.path["place_id"], expected_version=call.version, precautions=call.body.precautions)
    return await rooms.set_precautions(ctx, command)


ROUTES = (
    Route(
        "GET", PLACES, list_places, "Rooms and beds of a site, and how each stands", rooms.READ, PlacesPage, query=ListPlaces,
        priority=Priority.PRESENCE,
    ),
    Route(
        "GET", PLACES + "/counts", count_places, "How full a site's rooms and beds are", rooms.READ, PlaceCounts, query=CountPlaces,
        priority=Priority.PRESENCE,
    ),
    Route(
        "GET", PLACES + "/{place_id}", get_place, "A room or a bed, and how it stands", rooms.READ, Place, versioned=True,
        priority=Priority.PRESENCE, refusals=(UnknownPlace,),
    ),
    Route(
        "POST", PLACES + "/proposals", propose_places, "The free rooms or beds that suit somebody best, and why", rooms.WORK,
        ProposedPlaces, body=ProposePlaces, priority=Priority.PRESENCE, refusals=(UnknownEncounter, StatusNotAllowed),
    ),
    Route(
        "POST", PLACES + "/assign", assign_place, "Put somebody into a room or a bed: admit, or transfer", rooms.WORK, Place,
        body=AssignPlace, keyed=True, versioned=True, priority=Priority.PRESENCE,
        refusals=(UnknownEncounter, StatusNotAllowed, UnknownPlace, PlaceNotFree, PlaceNotSuited, NoPlaceFree),
    ),
    Route(
        "POST", PLACES + "/{place_id}/steps", step_place, "Vacate, discharge, make ready, close or open a room or a bed", rooms.WORK, Place,
        body=StepPlaceBody, keyed=True, versioned=True, priority=Priority.PRESENCE,
        refusals=(UnknownPlace, UnknownEncounter, PlaceStepNotAllowed, StatusNotAllowed),
    ),
    Route(
        "PUT", PLACES + "/{place_id}/precautions", set_precautions, "Say what a room or a bed is fit for", rooms.CHANGE, Place,
        body=PrecautionsBody, versioned=True, refusals=(UnknownPlace,),
    ),
)  # fmt: skip
