"""What is on offer, its live stock, and the demo catalogue as the owner could have written it."""

from collections import Counter
from datetime import datetime

import pytest
from demo_catalogue import DEMO, FILES
from sqlalchemy import update
from sqlalchemy.orm.exc import DetachedInstanceError

from core.catalogue.csv_files import apply, read
from core.catalogue.fit import find_car, year_span
from core.catalogue.snapshot import (
    CATEGORIES,
    SERVICE_CATEGORIES,
    StockStatus,
    brands,
    bump,
    load,
    models,
    stock,
    stock_status,
    version,
)
from core.db.database import Database
from core.db.tables import Part, Service, Technician


async def test_the_demo_catalogue_is_loaded_and_its_stock_read_live(database: Database, now: datetime) -> None:
    async with database.write() as session:
        await apply(session, read(FILES), now=now)
    async with database.read() as session:
        catalogue = await load(session)
        free = await stock(session)
    assert catalogue.version == 1
    assert catalogue.parts.keys() == DEMO.parts.keys() == free.keys()
    assert catalogue.cars.keys() == DEMO.cars.keys()
    assert {stock_status(part, free[part.id]) for part in catalogue.parts.values()} == set(StockStatus)
    async with database.write() as session:
        await session.execute(update(Part).where(Part.id == "venom-v9-plus").values(reserved=4))
        assert await stock(session, ["venom-v9-plus"]) == {"venom-v9-plus": free["venom-v9-plus"] - 4}


async def test_a_loaded_catalogue_outlives_its_transaction_and_hides_stock(database: Database, now: datetime) -> None:
    async with database.write() as session:
        await apply(session, read(FILES), now=now)
    async with database.write() as session:
        catalogue = await load(session)
        await session.rollback()
    part = catalogue.parts["venom-v9-plus"]
    assert part.name == 'Venom V9 Plus Android 9"'
    with pytest.raises(DetachedInstanceError):
        _ = part.stock


async def test_what_is_retired_is_not_on_offer(database: Database, now: datetime) -> None:
    async with database.write() as session:
        session.add(Part(id="old", name="Old", category="other", brand="X", price=1, retired_at=now))
        session.add(Service(id="old", name="Old", category="other", price=1, minutes=1, retired_at=now))
        session.add(Technician(id="old", name="Old", retired_at=now))
        catalogue = await load(session)
    assert [*catalogue.parts, *catalogue.services, *catalogue.technicians] == []


async def test_every_change_counts_the_version_up(database: Database) -> None:
    async with database.write() as session:
        assert await version(session) == 0
        for expected in (1, 2, 3):
            await bump(session)
            assert await version(session) == expected


@pytest.mark.parametrize(
    ("free", "changes", "status"),
    [
        (3, {}, StockStatus.AVAILABLE),
        (2, {}, StockStatus.LOW_STOCK),
        (1, {"low_stock_threshold": 0}, StockStatus.AVAILABLE),
        (0, {}, StockStatus.OUT_OF_STOCK),
        (9, {"is_available": False}, StockStatus.OUT_OF_STOCK),
        (0, {"is_pre_order_only": True}, StockStatus.PRE_ORDER),
        (9, {"is_pre_order_only": True}, StockStatus.PRE_ORDER),
    ],
    ids=["enough", "at the threshold", "no threshold", "none", "not sold now", "to order", "to order, though some lie here"],
)  # fmt: skip
def test_stock_is_told_in_four_words(free: int, changes: dict[str, object], status: StockStatus) -> None:
    part = Part(**{"low_stock_threshold": 2, "is_available": True, "is_pre_order_only": False, **changes})
    assert stock_status(part, free) == status


def test_brands_come_with_the_most_driven_first_and_models_by_name() -> None:
    assert brands(DEMO)[0] == "Toyota"
    assert len(brands(DEMO)) == len(set(brands(DEMO))) >= 20
    assert models(DEMO, "honda")[:3] == ["Accord", "BR-V", "Brio"]
    assert models(DEMO, "Ferrari") == []


def test_the_demo_shop_has_a_full_shelf() -> None:
    assert len(DEMO.parts) >= 70
    assert len(DEMO.services) >= 18
    assert len({(car.brand, car.model) for car in DEMO.cars.values()}) >= 90
    assert len(DEMO.technicians) == 5
    assert min(Counter(part.category for part in DEMO.parts.values())[category] for category in CATEGORIES) >= 5
    assert {service.category for service in DEMO.services.values()} == set(SERVICE_CATEGORIES)
    assert any(part.discount for part in DEMO.parts.values())
    assert {service.onsite for service in DEMO.services.values()} == {True, False}
    assert all(30 <= service.minutes <= 480 for service in DEMO.services.values())


def test_every_skill_and_every_named_car_of_the_demo_shop_exists() -> None:
    skills = {skill for technician in DEMO.technicians.values() for skill in technician.skills}
    assert {service.skill for service in DEMO.services.values()} <= skills | {None}
    for part in DEMO.parts.values():
        for car in part.compatible_vehicles:
            first, _ = year_span(car["year"]) or (0, None)
            assert find_car(DEMO, car["brand"], car["model"], first), f"{part.id}: {car}"


def test_no_two_generations_of_a_demo_car_share_a_year() -> None:
    for car in DEMO.cars.values():
        for year in range(car.year_from, (car.year_to or 2026) + 1):
            assert find_car(DEMO, car.brand, car.model, year) is car


def test_an_alias_means_one_thing() -> None:
    """A model's generations may share theirs; nothing else may."""
    for things in (
        [((car.brand, car.model), car.aliases) for car in DEMO.cars.values()],
        [(part.id, part.aliases) for part in DEMO.parts.values()],
        [(service.id, service.aliases) for service in DEMO.services.values()],
        [(technician.id, technician.aliases) for technician in DEMO.technicians.values()],
    ):
        owners = Counter(alias for alias, _ in {(alias, thing) for thing, aliases in things for alias in aliases})
        assert [alias for alias, count in owners.items() if count > 1] == []


@pytest.mark.parametrize(
    ("brand", "model", "year"),
    [
        ("Honda", "Brio", 2019),
        ("Honda", "CR-V", 2019),
        ("Daihatsu", "Ayla", 2016),
        ("Daihatsu", "Xenia", 2021),
        ("Daihatsu", "Sigra", 2017),
        ("Toyota", "Rush", 2018),
        ("Toyota", "Raize", 2022),
        ("Toyota", "Avanza", 2018),
        ("Hyundai", "Creta", 2022),
    ],
)
def test_the_cars_people_ask_about_are_known(brand: str, model: str, year: int) -> None:
    car = find_car(DEMO, brand, model, year)
    assert car
    assert (car.brand, car.model) == (brand, model)
    assert car.mounts
