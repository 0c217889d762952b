"""What set things going: a message, an order, a request, a tick.

    webhook ──> turn ──> outbox row ──> dispatch ──> vendor call

Log lines carry its id all that way; an outbox row remembers it, so that sending goes on under the same one.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Trace:
    """An id that is no secret, and words about a person that must stay out of the log."""

    id: str | None = None
    private: tuple[str, ...] = ()


_CURRENT: ContextVar[Trace] = ContextVar("trace", default=Trace())  # noqa: B039 (a frozen value)


def current() -> Trace:
    """What the running task follows."""
    return _CURRENT.get()


def follow(trace_id: str | None, *private: str | None) -> None:
    """Follow this from here on, until the task follows something else."""
    _CURRENT.set(Trace(trace_id, tuple(word for word in private if word)))


@contextmanager
def following(trace_id: str | None, *private: str | None) -> Iterator[None]:
    """Follow this, and whatever follows from it, within a block."""
    before = _CURRENT.get()
    follow(trace_id, *private)
    try:
        yield
    finally:
        _CURRENT.set(before)
