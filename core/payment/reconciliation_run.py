"""The nightly reconciliation as a row, so that one process runs it once a night, and resumes it where it stopped.

A missed night is made up for: the next run goes back to where the last finished one began.
"""

from dataclasses import asdict, dataclass
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import Select, select
from sqlalchemy.ext.asyncio import AsyncSession

from core.context import Context
from core.db.database import insert_once
from core.db.tables import JobRun
from core.messaging.messages import message, say
from core.notices.tell import tell_admins
from core.payment import reconciliation, unknown_orders
from core.payment.reconciliation import Difference, Findings

NAME = "reconciliation"
STARTS_AT = time(2, 30)
"""By the shop's clock."""
MIN_PERIOD = timedelta(days=2)
"""How far back a run goes at least."""
LEASE = timedelta(minutes=3)
"""Longer than a page takes when every call times out."""
RETRY_AFTER = timedelta(minutes=5)
"""When to go on after Midtrans didn't answer."""


@dataclass(frozen=True, slots=True)
class Run:
    """A claimed run, and its progress: orders up to `after` are compared."""

    key: str
    since: datetime
    after: str
    findings: Findings


async def claim_run(ctx: Context) -> Run | None:
    """Claim the night's run for `LEASE`; None where it is done, claimed, or postponed."""
    local = ctx.shop.local(ctx.now)
    key = (local.date() - timedelta(days=local.time() < STARTS_AT)).isoformat()
    await insert_once(
        ctx.session, JobRun, name=NAME, key=key, started_at=ctx.now, result=await _begin(ctx.session, key, ctx.now)
    )
    row = await _locked(ctx.session, key)
    result = row.result
    if row.finished_at is not None or datetime.fromisoformat(result["not_before"]) > ctx.now:
        return None
    row.result = result | {"not_before": (ctx.now + LEASE).isoformat()}
    stored = result["findings"]
    findings = Findings(**stored | {"shown": tuple(Difference(**each) for each in stored["shown"])})
    return Run(key, datetime.fromisoformat(result["since"]), result["after"], findings)


async def save_progress(session: AsyncSession, run: Run, *, now: datetime, is_away: bool = False) -> None:
    """`is_away`: Midtrans doesn't answer, so the run is due again after `RETRY_AFTER`."""
    row = await _locked(session, run.key)
    row.result = row.result | {
        "after": run.after,
        "findings": asdict(run.findings),
        "not_before": (now + (RETRY_AFTER if is_away else LEASE)).isoformat(),
        "away_since": (row.result["away_since"] or now.isoformat()) if is_away else None,
    }


async def finish(ctx: Context, run: Run) -> None:
    """Finish a run; tell the admins the differences and unknown orders, if there are any, in one message."""
    row = await _locked(ctx.session, run.key)
    row.finished_at = ctx.now
    if report := reconciliation.report(run.findings, await unknown_orders.unexplained(ctx.session)):
        head, *lines = report
        news = message(head, say("notice.block", lines=lines))
        await tell_admins(ctx, f"reconciled:{run.key}", news, is_urgent=False)


async def away_since(session: AsyncSession) -> datetime | None:
    """Since when Midtrans hasn't answered the newest run; None where it does."""
    row = await session.scalar(_rows().limit(1))
    if row is None or row.finished_at is not None or row.result["away_since"] is None:
        return None
    return datetime.fromisoformat(row.result["away_since"])


async def _begin(session: AsyncSession, key: str, now: datetime) -> dict[str, Any]:
    """The first result of a new run; it includes what an unfinished run before it has found."""
    before = (await session.scalars(_rows().where(JobRun.key < key).limit(1))).first()
    done = await session.scalar(_rows().where(JobRun.key < key, JobRun.finished_at.is_not(None)).limit(1))
    unfinished = before.result if before is not None and before.finished_at is None else {}
    return {
        "since": min(now - MIN_PERIOD, done.started_at if done else now).isoformat(),
        "after": "",
        "findings": unfinished.get("findings", asdict(Findings())),
        "away_since": unfinished.get("away_since"),
        "not_before": now.isoformat(),
    }


async def _locked(session: AsyncSession, key: str) -> JobRun:
    return await session.get_one(JobRun, (NAME, key), with_for_update=True, populate_existing=True)


def _rows() -> Select[JobRun]:
    return select(JobRun).where(JobRun.name == NAME).order_by(JobRun.key.desc())
