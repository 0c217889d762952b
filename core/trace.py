"""The trace id of what caused something: a message, an order, a request, a tick.

    webhook ──> turn ──> outbox row ──> dispatch ──> vendor call

Log lines carry it all the way; an outbox row stores it, so that the message is sent under the same id.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trace:
    """An id that may be logged, and personal words that must not be."""

    id: str | None = None
    private: tuple[str, ...] = ()


_CURRENT: ContextVar[Trace] = ContextVar("trace", default=Trace())  # noqa: B039 (a frozen value)


def current() -> Trace:
    return _CURRENT.get()


def follow(trace_id: str | None, *private: str | None) -> None:
    """Set the running task's trace."""
    _CURRENT.set(Trace(trace_id, tuple(word for word in private if word)))


@contextmanager
def following(trace_id: str | None, *private: str | None) -> Iterator[None]:
    """Set the trace within a block."""
    before = _CURRENT.get()
    follow(trace_id, *private)
    try:
        yield
    finally:
        _CURRENT.set(before)
