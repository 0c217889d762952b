"""/api/spareparts, /api/services, /api/technicians: the catalogue, maintained by admins."""

import re
import unicodedata
from collections.abc import Mapping
from operator import attrgetter

from conversations.shelf import price_of
from core import work
from core.booking import change_entry, jobs_to_come
from core.booking import retire_technician as retire
from core.catalogue import edit, fit, search, snapshot
from core.catalogue.edit import Entry
from core.catalogue.fit import Fit, FitAnswer
from core.db.tables import Part, Service, Technician
from core.messaging.messages import Say, say
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
    return Page([Sparepart.model_validate(part) for part in parts], total)


@endpoint("GET", "/api/spareparts/{id}", who=Who.ANYONE)
async def get_sparepart(call: Call) -> Sparepart:
    """One part."""
    return Sparepart.model_validate(await _offered(call, Part))


@endpoint("GET", "/api/spareparts/{id}/stock", who=Who.ANYONE)
async def get_stock(call: Call) -> Stock:
    """A part's stock."""
    part = await _offered(call, Part)
    status = snapshot.stock_status(part, part.stock)
    return Stock(
        sparepart_id=part.id,
        name=part.name,
        stock=part.stock,
        status=status,
        message=call.render(say(f"api.stock.{status}", name=part.name, stock=part.stock)),
        is_pre_order_only=part.is_pre_order_only,
    )


@endpoint("GET", "/api/spareparts/{id}/compatibility", who=Who.ANYONE)
async def check_compatibility(call: Call, query: Car) -> Compatibility:
    """Whether a part fits a car; if not, an adapter or alternatives."""
    async with call.read() as ctx:
        part = await edit.offered(ctx.session, Part, call.id)
        catalogue = await snapshot.load(ctx.session)
        found = fit.fit_of(catalogue, part, query.brand, query.model, query.year)
        adapter = await edit.offered(ctx.session, Part, found.adapter.id) if found.adapter else None
        others = [await edit.offered(ctx.session, Part, other.id) for other in found.alternatives]
    return Compatibility(
        is_compatible=None if found.answer is FitAnswer.UNKNOWN else found.answer is not FitAnswer.DOES_NOT_FIT,
        fit=found.answer,
        message=call.render(_fit_text(part, found, query)),
        adapter=Sparepart.model_validate(adapter) if adapter else None,
        alternatives=[Sparepart.model_validate(other) for other in others],
    )


@endpoint("POST", "/api/spareparts", who=Who.ADMIN, status=201)
async def create_sparepart(call: Call, body: NewSparepart) -> Sparepart:
    """Add a part."""
    values = body.columns()
    part = Part(id=_new_id(call, body.name), on_hand=values.pop("stock", 0), reserved=0, **values)
    return Sparepart.model_validate(await _add(call, part))


@endpoint("PUT", "/api/spareparts/{id}", who=Who.ADMIN)
async def update_sparepart(call: Call, body: SparepartChange) -> Sparepart:
    """Change a part; missing fields stay as they are."""
    return Sparepart.model_validate(await _change(call, Part, body.columns()))


@endpoint("DELETE", "/api/spareparts/{id}", who=Who.ADMIN)
async def retire_sparepart(call: Call) -> Sparepart:
    """Remove a part from the catalogue; bookings keep it."""
    return Sparepart.model_validate(await _retire(call, Part))


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


@endpoint("POST", "/api/services", who=Who.ADMIN, status=201)
async def create_service(call: Call, body: NewService) -> ServiceOffer:
    """Add a service."""
    return ServiceOffer.model_validate(await _add(call, Service(id=_new_id(call, body.name), **body.columns())))


@endpoint("PUT", "/api/services/{id}", who=Who.ADMIN)
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
    for_staff = call.caller is not None and call.caller.staff is not None
    return Page([Worker.of(technician, for_staff=for_staff) for technician in technicians], total)


@endpoint("POST", "/api/technicians", who=Who.ADMIN, status=201)
async def create_technician(call: Call, body: NewWorker) -> Worker:
    """Add a technician."""
    technician = Technician(id=_new_id(call, body.name), rating_sum=0, rating_count=0, total_jobs=0, **body.columns())
    return Worker.of(await _add(call, technician), for_staff=True)


@endpoint("PUT", "/api/technicians/{id}", who=Who.ADMIN)
async def update_technician(call: Call, body: WorkerChange) -> Worker:
    """Change a technician; missing fields stay as they are."""
    return Worker.of(await _change(call, Technician, body.columns()), for_staff=True)


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
        return Worker.of(await retire(ctx, call.id), for_staff=True)


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
