"""What the program counts about itself, for Prometheus: at the edge, since core only returns values.

    turns      by channel and outcome, and how long they took      `turn`
    refusals   by code, in the chat and over REST                  `refused`, `counted`
    vendors    calls by outcome, and how long they took            `vendor_call`, `away`
    http       answers by route and status                         `counted`
    backlog    what waits in the database, at the scrape           `exposition`

Every process counts for itself; the backlog is the same in all of them: take its maximum, not its sum.
"""

import logging
import math
import platform
import time
from collections.abc import Collection, Iterable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from importlib.metadata import version

from aiohttp import hdrs, web
from aiohttp.typedefs import Handler
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from core.db.database import AWAY
from core.db.tables import Outbox
from core.states import RequestState
from core.upkeep.backlog import Backlog, Waiting
from webhooks.api.answers import REFUSED
from webhooks.app import route_of

_log = logging.getLogger(__name__)

REGISTRY = CollectorRegistry()
ProcessCollector(registry=REGISTRY)

_SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


def _counter(name: str, words: str, *labels: str) -> Counter:
    return Counter(f"bengkel_{name}", words, labels, registry=REGISTRY)


def _gauge(name: str, words: str, *labels: str) -> Gauge:
    return Gauge(f"bengkel_{name}", words, labels, registry=REGISTRY)


def _histogram(name: str, words: str, *labels: str) -> Histogram:
    return Histogram(f"bengkel_{name}", words, labels, registry=REGISTRY, buckets=_SECONDS)


TURNS = _counter("turns", "Messages taken: ok, away (no database) or bug.", "channel", "outcome")
TURN_SECONDS = _histogram("turn_seconds", "From a message's arrival to its commit.", "channel")
UNREAD = _counter("unread_messages", "Messages beyond what one chat may send.", "channel")
REFUSALS = _counter("refusals", "Every expected no, by its code.", "code")
VENDOR_CALLS = _counter("vendor_calls", "Calls: ok, or what went wrong by its name.", "vendor", "outcome")
VENDOR_SECONDS = _histogram("vendor_seconds", "How long a vendor took.", "vendor")
HTTP_ANSWERS = _counter("http_answers", "Answers over HTTP.", "method", "route", "status")
DATABASE_UP = _gauge("database_up", "Whether the database answered this scrape.")
OUTBOX_DEPTH = _gauge("outbox_depth", "Messages that are due and not sent.", "channel")
OUTBOX_AGE = _gauge("outbox_age_seconds", "How long the oldest of them has waited.", "channel")
DEAD_LETTERS = _gauge("dead_letters", "Messages that failed for good in the last 30 days.", "channel")
REQUESTS = _gauge("payment_requests", "Payment requests that are looked after.", "state")
REQUESTS_AGE = _gauge("payment_requests_age_seconds", "How old the oldest of them is.", "state")
NOTIFICATIONS = _gauge("payment_notifications_waiting", "Notifications that Midtrans hasn't confirmed yet.")
NOTIFICATIONS_AGE = _gauge("payment_notifications_age_seconds", "How long the oldest of them has waited.")
_NO_ANSWER = {"NotSent", "Unclear", "MidtransTrouble", "TimeoutError"}
"""What a call comes to where the vendor is in trouble; with anything else he has answered."""
_away: dict[str, str] = {}
BUILD = _gauge("build_info", "Always 1.", "version", "python")
BUILD.labels(version("bengkel"), platform.python_version()).set(1)


@contextmanager
def turn(channel: str) -> Iterator[None]:
    """Around a turn, its transaction included."""
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
    """Count what replies refuse: a refusal's text is known by its key."""
    for reply in replies:
        for said in reply.body["says"]:
            if said["say"].startswith("refusal."):
                REFUSALS.labels(said["say"].removeprefix("refusal.")).inc()


@contextmanager
def vendor_call(vendor: str) -> Iterator[None]:
    """Around one call of a vendor; what it raises is counted by its name, and logged."""
    outcome, level, words, began = "ok", logging.INFO, "", time.perf_counter()
    try:
        yield
    except BaseException as error:
        outcome, level, words = type(error).__name__, logging.WARNING, f": {error}"
        raise
    finally:
        took = time.perf_counter() - began
        _note(vendor, outcome)
        VENDOR_CALLS.labels(vendor, outcome).inc()
        VENDOR_SECONDS.labels(vendor).observe(took)
        _log.log(level, "%s: %s in %.3f s%s", vendor, outcome, took, words)


def _note(vendor: str, outcome: str) -> None:
    if outcome in _NO_ANSWER:
        _away[vendor] = outcome
    elif outcome != "CancelledError":
        _away.pop(vendor, None)


def away() -> Mapping[str, str]:
    """The vendors whose last call came to nothing, and how."""
    return dict(_away)


@web.middleware
async def counted(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Counts answers by route, never by path: that may name a person's booking."""
    try:
        answer = await handler(request)
    except web.HTTPException as raised:
        _count(request, raised.status)
        raise
    _count(request, answer.status)
    return answer


def _count(request: web.Request, status: int) -> None:
    method, _, route = route_of(request).partition(" ")
    # A stranger may make methods up.
    HTTP_ANSWERS.labels(method if method in hdrs.METH_ALL else "other", route, status).inc()
    if code := request.get(REFUSED):
        REFUSALS.labels(code).inc()


def exposition(backlog: Backlog | None, *, channels: Collection[str], now: datetime) -> bytes:
    """Everything in Prometheus' text format; `backlog` is None while the database doesn't answer."""
    DATABASE_UP.set(backlog is not None)
    for gauge in (OUTBOX_DEPTH, OUTBOX_AGE, DEAD_LETTERS, REQUESTS, REQUESTS_AGE):
        gauge.clear()
    for gauge in (NOTIFICATIONS, NOTIFICATIONS_AGE):
        gauge.set(math.nan)  # unknown, unless the backlog tells
    if backlog is not None:
        _show(backlog, channels, now)
    return generate_latest(REGISTRY)


def _show(backlog: Backlog, channels: Collection[str], now: datetime) -> None:
    for channel in channels:
        waiting = backlog.outbox.get(channel, Waiting())
        OUTBOX_DEPTH.labels(channel).set(waiting.count)
        OUTBOX_AGE.labels(channel).set(waiting.age(now).total_seconds())
        DEAD_LETTERS.labels(channel).set(backlog.given_up.get(channel, 0))
    for state in (RequestState.WANTED, RequestState.OPEN, RequestState.CANCELLED):
        waiting = backlog.requests.get(state, Waiting())
        REQUESTS.labels(state.value).set(waiting.count)
        REQUESTS_AGE.labels(state.value).set(waiting.age(now).total_seconds())
    NOTIFICATIONS.set(backlog.notifications.count)
    NOTIFICATIONS_AGE.set(backlog.notifications.age(now).total_seconds())
