"""The nightly comparison as a row: done once a night by one of several processes, and gone on with where it stopped.

    claim ──> compare a page ──> progress ──> … ──> finish ──> the admins hear what differed
                  └── Midtrans doesn't answer ──> postpone ──> claimed again after a while, from there on

A night that was missed is made up: the next comparison goes back to where the last finished one began.
"""

from dataclasses import asdict, dataclass
from datetime import date, datetime, time, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db.database import insert_once
from core.db.tables import JobRun
from core.messaging.messages import message, say
from core.notices.tell import tell_admins
from core.payment import reconciliation
from core.payment.reconciliation import Difference, Findings
from core.shop import Shop

NAME = "reconciliation"
AT = time(2, 30)
"""When the night's comparison is due, by the shop's clock."""
BACK = timedelta(days=2)
"""How far back it looks at least."""
LEASE = timedelta(minutes=3)
"""How long who compares has it to himself: longer than a page takes when every call runs into its timeout."""
AGAIN = timedelta(minutes=5)
"""How long Midtrans is left alone when it doesn't answer."""


@dataclass(frozen=True, slots=True)
class Night:
    """A claimed comparison, and how far it has come."""

    key: str
    since: datetime
    after: str
    findings: Findings


def night_of(now: datetime, shop: Shop) -> date:
    """The day in whose night the newest comparison is due."""
    local = shop.local(now)
    return local.date() - timedelta(days=local.time() < AT)


async def claim(ctx: Context) -> Night | None:
    """The night's comparison, for `LEASE`; None where it is done, or somebody does it, or it waits for Midtrans."""
    key = night_of(ctx.now, ctx.shop).isoformat()
    await insert_once(
        ctx.session, JobRun, name=NAME, key=key, started_at=ctx.now, result=await _begin(ctx.session, key, ctx.now)
    )
    run = await _locked(ctx.session, key)
    if run.finished_at is not None or datetime.fromisoformat(run.result["not_before"]) > ctx.now:
        return None
    _note(run, not_before=ctx.now + LEASE)
    return Night(
        key, datetime.fromisoformat(run.result["since"]), run.result["after"], _findings(run.result["findings"])
    )


async def progress(session: AsyncSession, night: Night, *, now: datetime) -> None:
    """Keep how far it has come; Midtrans answers."""
    run = await _locked(session, night.key)
    _note(run, **_so_far(night), not_before=now + LEASE, away_since=None)


async def postpone(session: AsyncSession, night: Night, *, now: datetime) -> None:
    """Midtrans doesn't answer: how far it has come is kept, what is left waits for a while."""
    run = await _locked(session, night.key)
    _note(run, **_so_far(night), not_before=now + AGAIN, away_since=run.result["away_since"] or now.isoformat())


async def finish(ctx: Context, night: Night) -> None:
    """All is compared: the admins hear of it in one message if anything differed."""
    run = await _locked(ctx.session, night.key)
    run.finished_at = ctx.now
    found = night.findings
    if found.mended or found.left:
        head = say("reconcile.head", asked=found.asked, mended=found.mended, left=found.left)
        told = message(head, say("notice.block", lines=reconciliation.lines(found)))
        await tell_admins(ctx, f"reconciled:{night.key}", told)


async def away_since(session: AsyncSession) -> datetime | None:
    """Since when the newest comparison has waited for Midtrans; None where it doesn't."""
    run = await session.scalar(_runs().limit(1))
    if run is None or run.finished_at is not None or run.result["away_since"] is None:
        return None
    return datetime.fromisoformat(run.result["away_since"])


async def _begin(session: AsyncSession, key: str, now: datetime) -> dict[str, Any]:
    """Where a new night's comparison begins; what one before it has left undone is part of it."""
    before = (await session.scalars(_runs().where(JobRun.key < key).limit(1))).first()
    done = await session.scalar(_runs().where(JobRun.key < key, JobRun.finished_at.is_not(None)).limit(1))
    unfinished = before.result if before is not None and before.finished_at is None else {}
    return {
        "since": min(now - BACK, done.started_at if done else now).isoformat(),
        "after": "",
        "findings": unfinished.get("findings", asdict(Findings())),
        "away_since": unfinished.get("away_since"),
        "not_before": now.isoformat(),
    }


def _so_far(night: Night) -> dict[str, object]:
    return {"after": night.after, "findings": asdict(night.findings)}


async def _locked(session: AsyncSession, key: str) -> JobRun:
    return await session.get_one(JobRun, (NAME, key), with_for_update=True, populate_existing=True)


def _runs() -> Select[JobRun]:
    return select(JobRun).where(JobRun.name == NAME).order_by(JobRun.key.desc())


def _note(run: JobRun, **news: object) -> None:
    """JSON is compared as a whole, so a changed one is a new one."""
    run.result = run.result | {
        name: each.isoformat() if isinstance(each, datetime) else each for name, each in news.items()
    }


def _findings(kept: dict[str, Any]) -> Findings:
    return Findings(**kept | {"shown": tuple(Difference(**each) for each in kept["shown"])})
