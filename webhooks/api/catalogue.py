"""/api/spareparts, /api/services, /api/technicians: the catalogue, maintained by admins."""

import asyncio
import re
import unicodedata
from collections.abc import Mapping
from operator import attrgetter
from typing import Any

from conversations.shelf import price_of
from core import media, work
from core.booking import change_entry, jobs_to_come
from core.booking import retire_technician as retire
from core.catalogue import edit, fit, search, snapshot
from core.catalogue.edit import Entry
from core.catalogue.fit import Fit, FitAnswer
from core.db.tables import Part, Service, Technician
from core.messaging.messages import Say, say
from core.refusals import BadPhotos
from webhooks.api.endpoint import Call, Page, Who, endpoint
from webhooks.api.models.catalogue import (
    Car,
    Compatibility,
    NewService,
    NewSparepart,
    NewWorker,
    Reassignment,
    ServiceChange,
    ServiceFilter,
    ServiceOffer,
    Sparepart,
    SparepartChange,
    SparepartFilter,
    Stock,
    StockChange,
    Worker,
    WorkerChange,
    WorkerFilter,
)

MOST_OF_A_NAME = 40
"""How many letters of a name go into its id."""


# --- spareparts --------------------------------------------------------------------------------


@endpoint("GET", "/api/spareparts", who=Who.ANYONE)
async def list_spareparts(call: Call, query: SparepartFilter) -> Page[Sparepart]:
    """Available parts, by name."""
    async with call.read() as ctx:
        parts, total = await search.find_parts(ctx.session, **query.model_dump(by_alias=False))
    return Page([_shown(call, part) for part in parts], total)


@endpoint("GET", "/api/spareparts/{id}", who=Who.ANYONE)
async def get_sparepart(call: Call) -> Sparepart:
    """One part."""
    return _shown(call, await _offered(call, Part))


@endpoint("GET", "/api/spareparts/{id}/stock", who=Who.ANYONE)
async def get_stock(call: Call) -> Stock:
    """A part's stock."""
    return _stock(call, await _offered(call, Part))


@endpoint("GET", "/api/spareparts/{id}/compatibility", who=Who.ANYONE)
async def check_compatibility(call: Call, query: Car) -> Compatibility:
    """Whether a part fits a car; if not, an adapter or alternatives."""
    async with call.read() as ctx:
        part = await edit.offered(ctx.session, Part, call.id)
        catalogue = await call.api.newest.get(ctx.session)
        await asyncio.to_thread(fit.prepare, catalogue)
        found = fit.fit_of(catalogue, part, query.brand, query.model, query.year)
        adapter = await edit.offered(ctx.session, Part, found.adapter.id) if found.adapter else None
        others = [await edit.offered(ctx.session, Part, other.id) for other in found.alternatives]
    return Compatibility(
        is_compatible=None if found.answer is FitAnswer.UNKNOWN else found.answer is not FitAnswer.DOES_NOT_FIT,
        fit=found.answer,
        message=call.render(_fit_text(part, found, query)),
        adapter=_shown(call, adapter) if adapter else None,
        alternatives=[_shown(call, other) for other in others],
    )


@endpoint("POST", "/api/spareparts", who=Who.ADMIN, status=201, files="images")
async def create_sparepart(call: Call, body: NewSparepart) -> Sparepart:
    """Add a part."""
    values = body.columns() | await _images(call, body)
    part = Part(id=_new_id(call, body.name), on_hand=values.pop("stock", 0), reserved=0, **values)
    return _shown(call, await _add(call, part))


@endpoint("PUT", "/api/spareparts/{id}", who=Who.ADMIN, files="images")
async def update_sparepart(call: Call, body: SparepartChange) -> Sparepart:
    """Change a part; missing fields stay as they are, and so does `stock` where the form shows it as it was before the
    latest sales.
    """
    await _offered(call, Part)  # before anything is stored
    values = body.columns() | await _images(call, body)
    async with call.write() as ctx:
        if body.stock is not None and (sold := await edit.sold_since(ctx, call.id, stock=body.stock)):
            values.pop("stock")
            call.message = say("api.done.update_sparepart.sold", sold=sold, stock=body.stock - sold)
        return _shown(call, await edit.change(ctx.session, Part, call.id, values))


@endpoint("PATCH", "/api/spareparts/{id}/stock", who=Who.ADMIN)
async def change_stock(call: Call, body: StockChange) -> Stock:
    """Set what was counted on the shelf, or add what came in."""
    async with call.write() as ctx:
        part = await edit.offered(ctx.session, Part, call.id, to_change=True)
        on_hand = body.stock if body.stock is not None else part.on_hand + (body.delta or 0)
        return _stock(call, await snapshot.set_stock(ctx.session, part.id, on_hand))


@endpoint("DELETE", "/api/spareparts/{id}", who=Who.ADMIN)
async def retire_sparepart(call: Call) -> Sparepart:
    """Remove a part from the catalogue; bookings keep it."""
    return _shown(call, await _retire(call, Part))


# --- services ----------------------------------------------------------------------------------


@endpoint("GET", "/api/services", who=Who.ANYONE)
async def list_services(call: Call, query: ServiceFilter) -> Page[ServiceOffer]:
    """Services, by name."""
    async with call.read() as ctx:
        services, total = await search.find_services(ctx.session, **query.model_dump(by_alias=False))
    return Page([ServiceOffer.model_validate(service) for service in services], total)


@endpoint("GET", "/api/services/{id}", who=Who.ANYONE)
async def get_service(call: Call) -> ServiceOffer:
    """One service."""
    return ServiceOffer.model_validate(await _offered(call, Service))


@endpoint("POST", "/api/services", who=Who.ADMIN, status=201, files="images")
async def create_service(call: Call, body: NewService) -> ServiceOffer:
    """Add a service."""
    return ServiceOffer.model_validate(await _add(call, Service(id=_new_id(call, body.name), **body.columns())))


@endpoint("PUT", "/api/services/{id}", who=Who.ADMIN, files="images")
async def update_service(call: Call, body: ServiceChange) -> ServiceOffer:
    """Change a service; missing fields stay as they are."""
    return ServiceOffer.model_validate(await _change(call, Service, body.columns()))


@endpoint("DELETE", "/api/services/{id}", who=Who.ADMIN)
async def retire_service(call: Call) -> ServiceOffer:
    """Remove a service from the catalogue; bookings keep it."""
    return ServiceOffer.model_validate(await _retire(call, Service))


# --- technicians -------------------------------------------------------------------------------


@endpoint("GET", "/api/technicians", who=Who.ANYONE)
async def list_technicians(call: Call, query: WorkerFilter) -> Page[Worker]:
    """Technicians, by name; phone and e-mail only for staff."""
    async with call.read() as ctx:
        technicians, total = await search.find_technicians(ctx.session, **query.model_dump(by_alias=False))
    return Page([_worker(call, technician) for technician in technicians], total)


@endpoint("GET", "/api/technicians/{id}", who=Who.ANYONE)
async def get_technician(call: Call) -> Worker:
    """One technician; phone and e-mail only for staff."""
    return _worker(call, await _offered(call, Technician))


@endpoint("POST", "/api/technicians", who=Who.ADMIN, status=201, files="photo")
async def create_technician(call: Call, body: NewWorker) -> Worker:
    """Add a technician."""
    values = body.columns() | await _photo(call)
    technician = Technician(id=_new_id(call, body.name), rating_sum=0, rating_count=0, total_jobs=0, **values)
    return _worker(call, await _add(call, technician))


@endpoint("PUT", "/api/technicians/{id}", who=Who.ADMIN, files="photo")
async def update_technician(call: Call, body: WorkerChange) -> Worker:
    """Change a technician; missing fields stay as they are."""
    await _offered(call, Technician)  # before anything is stored
    return _worker(call, await _change(call, Technician, body.columns() | await _photo(call)))


@endpoint("DELETE", "/api/technicians/{id}", who=Who.ADMIN, also=(409,))
async def retire_technician(call: Call, query: Reassignment) -> Worker:
    """Remove a technician, whose jobs must have gone to somebody else: `reassign` is a technician's id, or any."""
    async with call.write() as ctx:
        if query.reassign is not None:
            heir = None if query.reassign == "any" else query.reassign
            jobs = await jobs_to_come(ctx, call.id)
            for job in sorted(jobs, key=attrgetter("id")):
                await work.reassign(ctx, job, heir, actor=call.member)
            await ctx.session.flush()
        return _worker(call, await retire(ctx, call.id))


def _shown(call: Call, part: Part) -> Sparepart:
    return Sparepart.of(part, call.api.file_link)


def _stock(call: Call, part: Part) -> Stock:
    status = snapshot.stock_status(part, part.stock)
    return Stock(
        sparepart_id=part.id,
        name=part.name,
        stock=part.stock,
        status=status,
        message=call.render(say(f"api.stock.{status}", name=part.name, stock=part.stock)),
        is_pre_order_only=part.is_pre_order_only,
    )


def _worker(call: Call, technician: Technician) -> Worker:
    for_staff = call.caller is not None and call.caller.staff is not None
    return Worker.of(technician, call.api.file_link, for_staff=for_staff)


async def _images(call: Call, body: SparepartChange) -> dict[str, Any]:
    """A part's images where any are given: those linked to, then the files sent along."""
    if not call.files:
        return {}
    linked = body.images or []
    if len(linked) + len(call.files) > media.MOST_PHOTOS:
        raise BadPhotos(most=media.MOST_PHOTOS)
    return {"images": linked + [await call.api.keep_photo(content) for content in call.files]}


async def _photo(call: Call) -> dict[str, Any]:
    return {"photo_url": await call.api.keep_photo(call.files[0])} if call.files else {}


async def _offered(call: Call, table: type[Entry]) -> Entry:
    async with call.read() as ctx:
        return await edit.offered(ctx.session, table, call.id)


async def _add(call: Call, entry: Entry) -> Entry:
    async with call.write() as ctx:
        return await edit.add(ctx.session, entry)


async def _change(call: Call, table: type[Entry], values: Mapping[str, object]) -> Entry:
    async with call.write() as ctx:
        return await change_entry(ctx, table, call.id, values)


async def _retire(call: Call, table: type[Entry]) -> Entry:
    return await _change(call, table, {"retired_at": call.now})


def _new_id(call: Call, name: str) -> str:
    """An id that shows the name: "jbl-stage3-607cf-7f3k2q"."""
    letters = unicodedata.normalize("NFKD", name.lower()).encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", letters)[:MOST_OF_A_NAME].strip("-")
    return "-".join(piece for piece in (slug, call.api.fresh()[:6].lower()) if piece)


def _fit_text(part: Part, found: Fit, car: Car) -> Say:
    names = {"name": part.name, "car": f"{car.brand} {car.model} {car.year}"}
    if found.adapter is not None:
        return say("fit.needs_adapter", adapter=found.adapter.name, price=price_of(found.adapter), **names)
    return say(f"fit.{found.answer}", **names)
