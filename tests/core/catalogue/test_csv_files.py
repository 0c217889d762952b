"""The catalogue's files: what is taken, what is refused and why, and that nothing is lost on the way."""

import csv
import io
from datetime import datetime, timedelta
from typing import Any

import pytest
from databases import Aside, Sqlite
from demo_catalogue import FILES as DEMO
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from conversations.texts import render
from core.catalogue.csv_files import BadFiles, apply, as_catalogue, read, write
from core.catalogue.snapshot import load, version
from core.db.database import Database
from core.db.tables import Part, Service, Technician

PART = {
    "id": "jbl-x",
    "name": "JBL X",
    "category": "speaker",
    "brand": "JBL",
    "price": "350000",
    "discount": "",
    "on_hand": "5",
    "low_stock_threshold": "",
    "warranty_months": "",
    "mount": "speaker-6.5",
    "adapts_mount": "",
    "adapts_into": "",
    "size": "",
    "type": "",
    "channels": "",
    "watts": "",
    "description": "",
    "specifications": "",
    "images": "",
    "compatible_vehicles": "",
    "aliases": "",
    "is_available": "",
    "is_pre_order_only": "",
    "retired": "",
}
SERVICE = {
    "id": "pasang-x",
    "name": "Pasang X",
    "category": "installation",
    "price": "Rp150.000",
    "discount": "",
    "minutes": "60",
    "description": "",
    "included_items": "",
    "installs": "speaker",
    "installs_types": "",
    "repairs": "",
    "skill": "",
    "onsite": "yes",
    "aliases": "",
    "is_available": "",
    "retired": "",
}
CAR = {
    "id": "honda-brio-2018",
    "brand": "Honda",
    "model": "Brio",
    "year_from": "2018",
    "year_to": "",
    "mounts": "dash-2din",
    "aliases": "",
}
TECHNICIAN = {
    "id": "dedi",
    "name": "Dedi",
    "skills": "tuning",
    "phone": "",
    "email": "",
    "photo_url": "",
    "days_off": "",
    "aliases": "",
    "is_available": "",
    "retired": "",
}
CAR_MOUNTS = "speaker-4, speaker-5.25, speaker-6.5, speaker-6x9, dash-1din, dash-2din, dash-9, dash-10"
LINES = {"parts.csv": PART, "services.csv": SERVICE, "cars.csv": CAR, "technicians.csv": TECHNICIAN}


def sheet(*lines: dict[str, str], delimiter: str = ",") -> str:
    text = io.StringIO()
    writer = csv.DictWriter(text, list(lines[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(lines)
    return text.getvalue()


def refusal(texts: dict[str, str]) -> list[str]:
    with pytest.raises(BadFiles) as refused:
        read(texts)
    return sentences(refused.value)


def sentences(refused: BadFiles) -> list[str]:
    return [render(line.sentence, "en") for line in refused.lines]


@pytest.mark.parametrize(
    ("file", "cells", "why"),
    [
        ("parts.csv", {"id": "JBL X"}, "id must look like jbl-stage3-607cf, got 'JBL X'"),
        ("parts.csv", {"id": ""}, "id is empty"),
        ("parts.csv", {"id": "a" * 51}, "id is longer than 50 characters"),
        ("parts.csv", {"name": ""}, "name is empty"),
        ("parts.csv", {"name": "x" * 101}, "name is longer than 100 characters"),
        ("parts.csv", {"name": "JBL\x00"}, "name holds a control character"),
        (
            "parts.csv",
            {"category": "spiker"},
            "category must be one of speaker, amplifier, subwoofer, headunit, kabel, accessory, other, got 'spiker'",
        ),
        ("parts.csv", {"price": ""}, "price is empty"),
        (
            "parts.csv",
            {"price": "1.2jt"},
            "price must be a whole number of rupiah such as 1250000 or Rp 1.250.000, got '1.2jt'",
        ),
        (
            "parts.csv",
            {"price": "350,000"},
            "price must be a whole number of rupiah such as 1250000 or Rp 1.250.000, got '350,000'",
        ),
        (
            "parts.csv",
            {"price": "350.50"},
            "price must be a whole number of rupiah such as 1250000 or Rp 1.250.000, got '350.50'",
        ),
        (
            "parts.csv",
            {"price": "3.50.000"},
            "price must be a whole number of rupiah such as 1250000 or Rp 1.250.000, got '3.50.000'",
        ),
        (
            "parts.csv",
            {"price": "٣٥٠٠٠٠"},
            "price must be a whole number of rupiah such as 1250000 or Rp 1.250.000, got '٣٥٠٠٠٠'",
        ),
        ("parts.csv", {"price": "-350000"}, "price must be at least 0, got -350000"),
        ("parts.csv", {"price": "99999999999"}, "price must be at most 1000000000, got 99999999999"),
        ("parts.csv", {"discount": "101"}, "discount must be at most 100, got 101"),
        ("parts.csv", {"discount": "-1"}, "discount must be at least 0, got -1"),
        ("parts.csv", {"discount": "10 persen"}, "discount must be a whole number, got '10 persen'"),
        ("parts.csv", {"on_hand": ""}, "on_hand is empty"),
        ("parts.csv", {"on_hand": "-1"}, "on_hand must be at least 0, got -1"),
        ("parts.csv", {"warranty_months": "1000"}, "warranty_months must be at most 240, got 1000"),
        (
            "parts.csv",
            {"mount": "speaker-7"},
            f"mount must be one of {CAR_MOUNTS}, universal, got 'speaker-7'",
        ),
        (
            "parts.csv",
            {"adapts_mount": "dash-9"},
            "adapts_mount and adapts_into belong together: one of them is empty",
        ),
        ("parts.csv", {"specifications": "50 W"}, "specifications must read key=value|key=value, got '50 W'"),
        ("parts.csv", {"images": "foto.jpg"}, "images must look like https://…, got 'foto.jpg'"),
        (
            "parts.csv",
            {"compatible_vehicles": "Toyota Avanza"},
            "compatible_vehicles must read like Toyota Avanza 2012-2021, got 'Toyota Avanza'",
        ),
        (
            "parts.csv",
            {"compatible_vehicles": "Toyota Avanza 2021-2012"},
            "compatible_vehicles must read like Toyota Avanza 2012-2021, got 'Toyota Avanza 2021-2012'",
        ),
        ("parts.csv", {"aliases": "|".join(["a"] * 51)}, "aliases has more than 50 entries"),
        ("parts.csv", {"aliases": "a|" + "b" * 101}, "aliases is longer than 100 characters"),
        ("parts.csv", {"retired": "mungkin"}, "retired must be yes or no, got 'mungkin'"),
        (
            "services.csv",
            {"category": "speaker"},
            "category must be one of installation, repair, upgrade, consultation, package, other, got 'speaker'",
        ),
        ("services.csv", {"minutes": "0"}, "minutes must be at least 1, got 0"),
        ("services.csv", {"minutes": "1,5 jam"}, "minutes must be a whole number, got '1,5 jam'"),
        (
            "services.csv",
            {"installs": "speaker|tape"},
            "installs must be one of speaker, amplifier, subwoofer, headunit, kabel, accessory, other, got 'tape'",
        ),
        ("services.csv", {"description": "x" * 1001}, "description is longer than 1000 characters"),
        ("cars.csv", {"year_to": "2017"}, "year_to 2017 is before year_from 2018"),
        ("cars.csv", {"year_from": "18"}, "year_from must be at least 1950, got 18"),
        (
            "cars.csv",
            {"mounts": "universal"},
            f"mounts must be one of {CAR_MOUNTS}, got 'universal'",
        ),
        ("technicians.csv", {"phone": "0812"}, "phone must look like +6281219000101, got '0812'"),
        ("technicians.csv", {"email": "dedi"}, "email must be an e-mail address, got 'dedi'"),
        (
            "technicians.csv",
            {"days_off": "mingu"},
            "days_off must be one of monday, tuesday, wednesday, thursday, friday, saturday, sunday, got 'mingu'",
        ),
    ],
)
def test_a_bad_cell_is_refused_with_file_line_and_reason(file: str, cells: dict[str, str], why: str) -> None:
    good = LINES[file] | {"id": "good"}
    assert refusal({file: sheet(good, LINES[file] | cells)}) == [f"{file} line 3: {why}"]


@pytest.mark.parametrize(
    ("file", "text", "why"),
    [
        ("parts.csv", "", "line 1: the file is empty"),
        ("parts.csv", "\ufeff\n\n", "line 1: the file is empty"),
        (
            "stok.csv",
            "kolom,isi\n1,JBL\n",
            "line 1: neither the name nor the columns are those of parts, services, cars, technicians",
        ),
        ("cars.csv", sheet(CAR | {"colour": "red"}), "line 1: unknown column 'colour'"),
        (
            "cars.csv",
            sheet({name: text for name, text in CAR.items() if name != "id"}),
            "line 1: column id is missing",
        ),
        ("cars.csv", ",".join([*CAR, "id"]) + "\n", "line 1: column id stands twice"),
        ("cars.csv", sheet(CAR) + "honda-jazz-2015,Honda\n", "line 3: has 2 cells, the header has 7"),
        ("cars.csv", sheet(CAR) + '"honda', "line 3: a quotation mark isn't closed, or stands in the middle of a cell"),
    ],
)
def test_a_file_that_is_no_such_sheet_is_refused_with_its_reason(file: str, text: str, why: str) -> None:
    assert refusal({file: text}) == [f"{file} {why}"]


def test_all_bad_lines_of_all_files_are_named_at_once() -> None:
    parts = sheet(PART | {"price": "mahal", "discount": "200"}, PART | {"id": "b"}, PART | {"id": "c", "brand": ""})
    assert refusal({"parts.csv": parts, "cars.csv": sheet(CAR | {"year_from": "dulu"})}) == [
        "parts.csv line 2: price must be a whole number of rupiah such as 1250000 or Rp 1.250.000, got 'mahal'",
        "parts.csv line 2: discount must be at most 100, got 200",
        "parts.csv line 4: brand is empty",
        "cars.csv line 2: year_from must be a whole number, got 'dulu'",
    ]


def test_an_id_stands_once_also_across_files() -> None:
    more = sheet(PART | {"id": "b"}, PART)
    assert refusal({"parts.csv": sheet(PART, PART), "more.csv": more}) == [
        "parts.csv line 3: id jbl-x already stands on parts.csv line 2",
        "more.csv line 3: id jbl-x already stands on parts.csv line 2",
    ]


def test_a_line_is_counted_as_an_editor_counts_it() -> None:
    text = sheet(PART | {"description": "dua\nbaris"}, PART | {"id": "b", "price": "x"})
    assert refusal({"parts.csv": text.replace("\n", "\r\n")})[0].startswith("parts.csv line 4: price")


@pytest.mark.parametrize("price", ["350000", "Rp350.000", "350.000"])
def test_money_is_read_as_shops_write_it(price: str) -> None:
    (line,) = read({"parts.csv": sheet(PART | {"price": price})})
    assert line.row.price == 350_000


@pytest.mark.parametrize(
    "text",
    [
        sheet(CAR),
        sheet(CAR, delimiter=";"),
        "\ufeff" + sheet(CAR, delimiter=";").replace("\n", "\r\n"),
        sheet(dict(reversed(CAR.items()))),
        sheet(CAR) + ",,,,,,\n\n",
    ],
    ids=["commas", "semicolons", "as Excel in Indonesia saves it", "columns in another order", "blank lines"],
)
def test_a_spreadsheets_ways_of_saving_all_mean_the_same(text: str) -> None:
    assert [line.row for line in read({"mobil.csv": text})] == [line.row for line in read({"cars.csv": sheet(CAR)})]


def test_lines_make_a_catalogue_without_a_database_but_for_what_is_retired() -> None:
    parts = sheet(PART, PART | {"id": "old", "retired": "yes"})
    catalogue = as_catalogue(read({"parts.csv": parts, "cars.csv": sheet(CAR)}))
    assert (list(catalogue.parts), list(catalogue.cars)) == (["jbl-x"], ["honda-brio-2018"])


async def test_import_changes_what_has_the_same_id_and_leaves_the_rest(database: Database, now: datetime) -> None:
    async with database.write() as session:
        assert await apply(session, read({"parts.csv": sheet(PART, PART | {"id": "b"})}), now=now) == {"parts": 2}
    async with database.write() as session:
        before = await version(session)
        await apply(session, read({"parts.csv": sheet(PART | {"price": "400000"})}), now=now)
        assert await version(session) == before + 1
    async with database.read() as session:
        assert {part.id: part.price for part in (await load(session)).parts.values()} == {
            "b": 350_000,
            "jbl-x": 400_000,
        }


async def test_a_part_may_not_fall_below_what_bookings_have_reserved(database: Database, now: datetime) -> None:
    async with database.write() as session:
        session.add(
            Part(id="jbl-x", name="JBL X", category="speaker", brand="JBL", price=350_000, on_hand=5, reserved=3)
        )
    with pytest.raises(BadFiles) as refused:
        async with database.write() as session:
            await apply(session, read({"parts.csv": sheet(PART | {"id": "a"}, PART | {"on_hand": "2"})}), now=now)
    assert sentences(refused.value) == [
        "parts.csv line 3: on_hand must be at least 3, which bookings have reserved, got 2"
    ]
    async with database.write() as session:
        assert list((await load(session)).parts) == ["jbl-x"], "nothing was imported"
        await apply(session, read({"parts.csv": sheet(PART | {"on_hand": "3"})}), now=now)
        part = await session.get_one(Part, "jbl-x")
        assert (part.on_hand, part.reserved, part.price) == (3, 3, 350_000)


async def test_retired_takes_off_the_shelf_once_and_can_be_undone(database: Database, now: datetime) -> None:
    for retired, moment, expected in [("yes", now, now), ("yes", now + timedelta(1), now), ("", now, None)]:
        async with database.write() as session:
            await apply(session, read({"parts.csv": sheet(PART | {"retired": retired})}), now=moment)
            assert (await session.get_one(Part, "jbl-x")).retired_at == expected


@pytest.mark.parametrize(
    ("technicians", "taken"),
    [
        ([], False),
        ([TECHNICIAN], True),
        ([TECHNICIAN | {"skills": "tuning|electrical"}], True),
        ([TECHNICIAN | {"skills": "electrical"}], False),
        ([TECHNICIAN | {"retired": "yes"}], False),
    ],
    ids=["nobody there", "he can", "he can more", "he can't", "he has left"],
)
async def test_a_service_needs_a_technician_who_can_do_it(
    database: Database, now: datetime, technicians: list[dict[str, str]], taken: bool
) -> None:
    texts = {"services.csv": sheet(SERVICE | {"skill": "tuning"})}
    texts |= {"technicians.csv": sheet(*technicians)} if technicians else {}
    async with database.write() as session:
        if taken:
            assert (await apply(session, read(texts), now=now))["services"] == 1
        else:
            with pytest.raises(BadFiles) as refused:
                await apply(session, read(texts), now=now)
            assert sentences(refused.value) == ["services.csv line 2: skill 'tuning' is one that no technician has"]


async def test_a_technician_already_there_counts(database: Database, now: datetime) -> None:
    async with database.write() as session:
        session.add(Technician(id="dedi", name="Dedi", skills=["tuning"]))
        await apply(session, read({"services.csv": sheet(SERVICE | {"skill": "tuning"})}), now=now)
        assert (await session.get_one(Service, "pasang-x")).skill == "tuning"


async def test_export_and_import_give_the_same_shop(database: Database, now: datetime) -> None:
    async with database.write() as session:
        await apply(session, read(DEMO), now=now)
        session.add(
            Part(
                id="aneh",
                name="=HYPERLINK(1)",
                category="other",
                brand="'@bc",
                price=0,
                on_hand=1,
                description='Kata "dua"; baris\nkedua, “kutip”',
                specifications={"a=b|c": "d=e|f\\"},
                compatible_vehicles=[{"brand": "Mercedes-Benz", "model": "C-Class W204", "year": "2007-"}],
                aliases=["+satu", "dua|tiga", "AC\\DC", "-"],
                is_available=False,
                is_pre_order_only=True,
                retired_at=now,
            )
        )
    async with database.read() as session:
        first = await write(session)
    assert all(cells["name"][0] not in "=+-@" for cells in csv.DictReader(io.StringIO(first["parts.csv"])))
    async with database.write() as session:
        strange = await session.get_one(Part, "aneh")
        before = _columns(strange)
        strange.name = strange.brand = strange.description = "x"
        strange.specifications, strange.aliases, strange.compatible_vehicles = {}, [], []
        await apply(session, read(first), now=now + timedelta(days=1))
        assert _columns(strange) == before
    async with database.read() as session:
        assert await write(session) == first


def _columns(part: Part) -> dict[str, object]:
    return {column.key: getattr(part, column.key) for column in Part.__table__.columns}


def test_the_demo_files_have_the_columns_that_export_writes() -> None:
    assert {name: text.partition("\n")[0].split(",") for name, text in DEMO.items()} == {
        name: list(line) for name, line in LINES.items()
    }


WORDS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=40).filter(
    lambda text: text.strip() == text
)


@settings(max_examples=15)
@given(
    written=st.lists(
        st.fixed_dictionaries(
            {
                "name": WORDS,
                "aliases": st.lists(WORDS, max_size=4),
                "specifications": st.dictionaries(WORDS, WORDS, max_size=3),
            }
        ),
        min_size=1,
        max_size=8,
    )
)
def test_whatever_people_write_survives_a_cell(sqlite: Sqlite, aside: Aside, written: list[dict[str, Any]]) -> None:
    parts = {f"part-{number}": cells for number, cells in enumerate(written)}
    lines = read(aside.run(_exported(sqlite.put_back("bare"), parts)))
    assert {line.row.id: line.row.model_dump(include=set(written[0])) for line in lines} == parts


async def _exported(url: str, parts: dict[str, dict[str, Any]]) -> dict[str, str]:
    database = Database(url)
    async with database.write() as session:
        session.add_all(Part(id=id_, category="speaker", brand="JBL", price=1, **cells) for id_, cells in parts.items())
    async with database.read() as session:
        files = await write(session)
    await database.close()
    return files


async def test_the_export_holds_what_is_retired_and_the_stock(database: Database, now: datetime) -> None:
    async with database.write() as session:
        await apply(session, read({"parts.csv": sheet(PART | {"retired": "yes"})}), now=now)
        assert (await load(session)).parts == {}
        assert (await session.scalars(select(Part.on_hand))).all() == [5]
        (cells,) = csv.DictReader(io.StringIO((await write(session))["parts.csv"]))
    assert (cells["id"], cells["on_hand"], cells["retired"]) == ("jbl-x", "5", "yes")


@pytest.mark.parametrize(
    ("column", "written", "stored"),
    [
        ("size", '6,5"', "6.5"),
        ("size", "6 x 9 inci", "6x9"),
        ("size", "", None),
        ("type", "Component", "component"),
        ("type", "component 3way", "component-3way"),
        ("type", "", None),
        ("channels", "4", 4),
        ("watts", "", None),
    ],
)
def test_what_customers_ask_of_a_part_is_read(column: str, written: str, stored: object) -> None:
    (line,) = read({"parts.csv": sheet(PART | {column: written})})
    assert getattr(line.row, column) == stored


@pytest.mark.parametrize(
    ("column", "written", "why"),
    [
        ("size", "besar", "harus ukuran dalam inci seperti 6.5 atau 6x9, tertulis 'besar'"),
        ("type", "bagus", "harus salah satu dari coaxial, component,"),
        ("channels", "0", "minimal 1"),
        ("watts", "100 W", "harus angka bulat"),
    ],
)
def test_an_attribute_that_cannot_be_read_is_refused(column: str, written: str, why: str) -> None:
    with pytest.raises(BadFiles) as refused:
        read({"parts.csv": sheet(PART | {column: written})})
    (line,) = refused.value.lines
    assert f"{column} {why}" in render(line.why, "id")


def test_a_service_says_the_types_it_installs_and_what_it_repairs() -> None:
    service = SERVICE | {"installs_types": "component|component-3way", "repairs": "speaker|head unit"}
    (line,) = read({"services.csv": sheet(service)})
    assert line.values["installs_types"] == ["component", "component-3way"]
    assert line.values["repairs"] == ["speaker", "headunit"]
