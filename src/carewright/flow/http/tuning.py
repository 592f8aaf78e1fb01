"""Tuning over HTTP: parse, call one use case, answer."""

import msgspec

from carewright.contracts.flow import TooLittleHistory, TuningNotSound, TuningRuns, TuningStepNotAllowed, UnknownQueue, UnknownTuning
from carewright.contracts.tuning import (
    AskDemand,
    DayKind,
    ListTunings,
    SeenDemand,
    StartTuning,
    StepTuning,
    Tuning,
    TuningsPage,
    TuningStep,
)
from carewright.flow.http.queues import QUEUES
from carewright.flow.service import queue, tuning
from carewright.kernel.context import Context
from carewright.kernel.http.routes import Call, Nothing, Route
from carewright.kernel.priority import Priority

TUNINGS = "/api/v1/tunings"


class DemandQuery(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """On which days."""

    days: DayKind = "workdays"


class StepTuningBody(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    action: TuningStep


async def see_demand(ctx: Context, call: Call[DemandQuery, Nothing]) -> SeenDemand:
    """Who came to a queue, by the hour."""
    return await tuning.see_demand(ctx, AskDemand(queue_id=call.path["queue_id"], days=call.query.days))


async def start_tuning(ctx: Context, call: Call[Nothing, StartTuning]) -> Tuning:
    """Begin a search."""
    return await tuning.start_tuning(ctx, call.body)


async def list_tunings(ctx: Context, call: Call[ListTunings, Nothing]) -> TuningsPage:
    """What was searched for a queue."""
    return await tuning.list_tunings(ctx, call.query)


async def get_tuning(ctx: Context, call: Call[Nothing, Nothing]) -> Tuning:
    """One search."""
    return await tuning.get_tuning(ctx, call.path["tuning_id"])


async def step_tuning(ctx: Context, call: Call[Nothing, StepTuningBody]) -> Tuning:
    """Give it up, put it in force, take it back."""
    command = StepTuning(tuning_id=call.path["tuning_id"], action=call.body.action, expected_version=call.version)
    return await tuning.step_tuning(ctx, command)


ROUTES = (
    Route(
        "GET", QUEUES + "/{queue_id}/demand", see_demand, "Who came to a queue in the last eight weeks, by the hour", queue.CHANGE,
        SeenDemand, query=DemandQuery, priority=Priority.REPORT, refusals=(UnknownQueue,),
    ),
    Route(
        "POST", TUNINGS, start_tuning, "Search for the order of a queue by which people are seen in time", queue.CHANGE, Tuning,
        body=StartTuning, keyed=True, versioned=True, created=TUNINGS + "/{id}", priority=Priority.REPORT,
        refusals=(UnknownQueue, TooLittleHistory, TuningNotSound, TuningRuns),
    ),
    Route(
        "GET", TUNINGS, list_tunings, "What was searched for a queue, the newest first", queue.CHANGE, TuningsPage, query=ListTunings,
        priority=Priority.REPORT, refusals=(UnknownQueue,),
    ),
    Route(
        "GET", TUNINGS + "/{tuning_id}", get_tuning, "A search, how far it is, and what it found", queue.CHANGE, Tuning, versioned=True,
        priority=Priority.REPORT, refusals=(UnknownTuning,),
    ),
    Route(
        "POST", TUNINGS + "/{tuning_id}/steps", step_tuning, "Give a search up, put what it found in force, or take that back",
        queue.CHANGE, Tuning, body=StepTuningBody, keyed=True, versioned=True, refusals=(UnknownTuning, TuningStepNotAllowed),
    ),
)  # fmt: skip
