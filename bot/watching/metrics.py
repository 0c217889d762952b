"""Prometheus metrics, counted at the edge: core only returns values.

    turns      by channel and outcome, and their duration      `turn`
    refusals   by code, in the chat and over REST              `refused`, `counted`
    vendors    calls by outcome, and their duration            `vendor_call`, `away`
    http       answers by route and status                     `counted`
    backlog    read from the database at the scrape            `exposition`

Each process counts for itself; the backlog is the same in all of them: take its maximum, not its sum.
"""

import logging
import math
import platform
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from importlib.metadata import version

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from core.db.database import AWAY
from core.db.tables import Outbox
from core.states import RequestState
from core.upkeep.backlog import Backlog, QueueStats
from webhooks.api.answers import REFUSED
from webhooks.app import route_of

_log = logging.getLogger(__name__)

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


_counter = partial(Counter, namespace="bengkel", registry=REGISTRY)
_gauge = partial(Gauge, namespace="bengkel", registry=REGISTRY)
_histogram = partial(Histogram, namespace="bengkel", registry=REGISTRY, buckets=_SECONDS)

TURNS = _counter("turns", "Turns: ok, away (no database) or bug.", ["channel", "outcome"])
TURN_SECONDS = _histogram("turn_seconds", "From a message's arrival to its commit.", ["channel"])
UNREAD = _counter("unread_messages", "Messages beyond a chat's rate limit.", ["channel"])
REFUSALS = _counter("refusals", "Refusals by code.", ["code"])
VENDOR_CALLS = _counter("vendor_calls", "Vendor calls: ok, or the exception's name.", ["vendor", "outcome"])
VENDOR_SECONDS = _histogram("vendor_seconds", "Duration of a vendor call.", ["vendor"])
HTTP_ANSWERS = _counter("http_answers", "Answers over HTTP.", ["method", "route", "status"])
DATABASE_UP = _gauge("database_up", "Whether the database answered this scrape.")
OUTBOX_DEPTH = _gauge("outbox_depth", "Messages due and not sent.", ["channel"])
OUTBOX_AGE = _gauge("outbox_age_seconds", "How long the oldest of them has waited.", ["channel"])
DEAD_LETTERS = _gauge("dead_letters", "Messages that failed for good in the last 30 days.", ["channel"])
REQUESTS = _gauge("payment_requests", "Payment requests in progress.", ["state"])
REQUESTS_AGE = _gauge("payment_requests_age_seconds", "Age of the oldest of them.", ["state"])
NOTIFICATIONS = _gauge("payment_notifications_waiting", "Notifications not yet confirmed by a status call.")
NOTIFICATIONS_AGE = _gauge("payment_notifications_age_seconds", "How long the oldest of them has waited.")
_NO_ANSWER = {"NotSent", "Unclear", "MidtransTrouble", "TimeoutError"}
"""Outcomes of a call to a vendor in trouble; after any other outcome the vendor has answered."""
_away: dict[str, str] = {}
BUILD = _gauge("build_info", "Always 1.", ["version", "python"])
BUILD.labels(version("bengkel"), platform.python_version()).set(1)


@contextmanager
def turn(channel: str) -> Iterator[None]:
    """Count and time a turn, including its transaction."""
    outcome, began = "bug", time.perf_counter()
    try:
        yield
        outcome = "ok"
    except AWAY:
        outcome = "away"
        raise
    finally:
        took = time.perf_counter() - began
        TURNS.labels(channel, outcome).inc()
        TURN_SECONDS.labels(channel).observe(took)
        _log.info("turn: %s in %.3f s", outcome, took)


def refused(replies: Iterable[Outbox]) -> None:
    """Count the refusals in replies: a refusal's text key starts with `refusal.`."""
    for reply in replies:
        for said in reply.body["says"]:
            if said["say"].startswith("refusal."):
                REFUSALS.labels(said["say"].removeprefix("refusal.")).inc()


@contextmanager
def vendor_call(vendor: str) -> Iterator[None]:
    """Count, time and log one vendor call; an exception counts by its name."""
    outcome, level, words, began = "ok", logging.INFO, "", time.perf_counter()
    try:
        yield
    except BaseException as error:
        outcome, level, words = type(error).__name__, logging.WARNING, f": {error}"
        raise
    finally:
        took = time.perf_counter() - began
        if outcome in _NO_ANSWER:
            _away[vendor] = outcome
        elif outcome != "CancelledError":
            _away.pop(vendor, None)
        VENDOR_CALLS.labels(vendor, outcome).inc()
        VENDOR_SECONDS.labels(vendor).observe(took)
        _log.log(level, "%s: %s in %.3f s%s", vendor, outcome, took, words)


def away() -> Mapping[str, str]:
    """The vendors whose last call got no answer, with the outcome."""
    return dict(_away)


@web.middleware
async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Count answers by route, never by path: a path may name a person's booking."""
    try:
        answer = await handler(request)
    except web.HTTPException as raised:
        _count(request, raised.status)
        raise
    _count(request, answer.status)
    return answer


def _count(request: web.Request, status: int) -> None:
    method, _, route = route_of(request).partition(" ")
    # Clients may invent methods, each a new label.
    HTTP_ANSWERS.labels(method if method in hdrs.METH_ALL else "other", route, status).inc()
    if code := request.get(REFUSED):
        REFUSALS.labels(code).inc()


def exposition(backlog: Backlog | None, *, channels: Collection[str], now: datetime) -> bytes:
    """All metrics in Prometheus' text format; `backlog` is None while the database doesn't answer."""
    DATABASE_UP.set(backlog is not None)
    for gauge in (OUTBOX_DEPTH, OUTBOX_AGE, DEAD_LETTERS, REQUESTS, REQUESTS_AGE):
        gauge.clear()
    for gauge in (NOTIFICATIONS, NOTIFICATIONS_AGE):
        gauge.set(math.nan)  # unknown without the backlog
    if backlog is not None:
        _show(backlog, channels, now)
    return generate_latest(REGISTRY)


def _show(backlog: Backlog, channels: Collection[str], now: datetime) -> None:
    for channel in channels:
        waiting = backlog.outbox.get(channel, QueueStats())
        OUTBOX_DEPTH.labels(channel).set(waiting.count)
        OUTBOX_AGE.labels(channel).set(waiting.age(now).total_seconds())
        DEAD_LETTERS.labels(channel).set(backlog.given_up.get(channel, 0))
    for state in (RequestState.WANTED, RequestState.OPEN, RequestState.CANCELLED):
        waiting = backlog.requests.get(state, QueueStats())
        REQUESTS.labels(state.value).set(waiting.count)
        REQUESTS_AGE.labels(state.value).set(waiting.age(now).total_seconds())
    NOTIFICATIONS.set(backlog.notifications.count)
    NOTIFICATIONS_AGE.set(backlog.notifications.age(now).total_seconds())
