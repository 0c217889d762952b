"""Files as a shop has them: with some of the columns, in the shop's own words, and with slips that are asked about."""

from collections.abc import Callable
from datetime import datetime

import pytest
from sqlalchemy import select

from conversations.texts import LANGUAGES, render
from core.catalogue import cells
from core.catalogue.csv_files import BadFiles, InDoubt, apply, ids, read, rows
from core.catalogue.snapshot import CATEGORIES, SERVICE_CATEGORIES
from core.db.database import Database
from core.db.tables import Car, Part, Service, Technician
from core.messaging.messages import say
from core.shop import WEEKDAYS

EVERY_PART_COLUMN = "id,name,category,brand,price,on_hand\n"


async def stocked(database: Database, now: datetime) -> None:
    async with database.write() as session:
        session.add(
            Part(
                id="jbl-x",
                name="JBL X",
                category="speaker",
                brand="JBL",
                price=350_000,
                on_hand=5,
                reserved=3,
                discount=10,
                aliases=["jbl"],
                retired_at=now,
            )
        )
        session.add(Service(id="pasang-x", name="Pasang X", category="installation", price=150_000, minutes=60))
        session.add(Technician(id="dedi", name="Dedi", skills=["tuning"], rating_sum=9))
        session.add(Car(id="brio", brand="Honda", model="Brio", year_from=2012, year_to=2018))


async def put(database: Database, now: datetime, files: dict[str, str], *, sure: bool = False) -> dict[str, int]:
    async with database.write() as session:
        return await apply(session, read(files, await ids(session)), now=now, sure=sure)


async def said(database: Database, now: datetime, files: dict[str, str], language: str = "en") -> list[str]:
    """What the import says instead of importing."""
    async with database.read() as session:
        before = await rows(session)
    with pytest.raises((BadFiles, InDoubt)) as stopped:
        await put(database, now, files)
    async with database.read() as session:
        assert await rows(session) == before, "nothing was imported"
    assert isinstance(stopped.value, BadFiles | InDoubt)
    return [render(line.sentence, language) for line in stopped.value.lines]


# --- columns that are missing ------------------------------------------------------------------


async def test_a_price_list_without_on_hand_changes_no_stock(database: Database, now: datetime) -> None:
    await stocked(database, now)
    assert await put(database, now, {"parts.csv": "id;price\njbl-x;Rp 400.000\n"}) == {"parts": 1}
    async with database.read() as session:
        part = await session.get_one(Part, "jbl-x")
    assert part.price == 400_000
    assert (part.name, part.on_hand, part.reserved, part.discount, part.aliases) == ("JBL X", 5, 3, 10, ["jbl"])
    assert part.retired_at == now, "what is retired stays so where the file has no such column"


async def test_an_empty_cell_of_a_given_column_is_the_default(database: Database, now: datetime) -> None:
    await stocked(database, now)
    await put(database, now, {"parts.csv": "id,discount,retired\njbl-x,,\n"})
    async with database.read() as session:
        part = await session.get_one(Part, "jbl-x")
    assert (part.discount, part.retired_at, part.price) == (0, None, 350_000)


async def test_each_kind_of_file_may_leave_columns_out(database: Database, now: datetime) -> None:
    await stocked(database, now)
    files = {
        "jasa.csv": "id,price\npasang-x,175000\n",
        "teknisi.csv": "id,aliases\ndedi,mas dedi\n",
        "mobil.csv": "id,model\nbrio,Brio RS\n",
    }
    assert await put(database, now, files) == {"services": 1, "technicians": 1, "cars": 1}
    async with database.read() as session:
        service, technician = await session.get_one(Service, "pasang-x"), await session.get_one(Technician, "dedi")
        car = await session.get_one(Car, "brio")
    assert (service.price, service.minutes, service.onsite) == (175_000, 60, True)
    assert (technician.aliases, technician.skills, technician.rating_sum) == (["mas dedi"], ["tuning"], 9)
    assert (car.brand, car.model, car.year_to) == ("Honda", "Brio RS", 2018)


async def test_a_new_entry_needs_its_columns(database: Database, now: datetime) -> None:
    await stocked(database, now)
    files = {"parts.csv": "id,price\njbl-x,400000\njbl-y,500000\n"}
    assert await said(database, now, files) == [
        "parts.csv line 3: id jbl-y is new, so it needs these columns: name, category, brand, on_hand"
    ]
    assert await said(database, now, files, "id") == [
        "parts.csv baris 3: id jbl-y masih baru, jadi kolom ini harus ada: name, category, brand, on_hand"
    ]


async def test_a_new_entry_has_the_defaults_of_what_is_left_out(database: Database, now: datetime) -> None:
    await put(database, now, {"parts.csv": f"{EVERY_PART_COLUMN}jbl-y,JBL Y,speaker,JBL,500000,4\n"})
    async with database.read() as session:
        part = await session.get_one(Part, "jbl-y")
    assert (part.discount, part.low_stock_threshold, part.aliases, part.is_available) == (0, 2, [], True)


async def test_cells_may_not_contradict_what_stays(database: Database, now: datetime) -> None:
    await stocked(database, now)
    assert await said(database, now, {"cars.csv": "id,year_from\nbrio,2020\n"}) == [
        "cars.csv line 2: year_to 2018 is before year_from 2020"
    ]
    assert await said(database, now, {"parts.csv": "id,adapts_into\njbl-x,dash-2din\n"}) == [
        "parts.csv line 2: adapts_mount and adapts_into belong together: one of them is empty"
    ]


async def test_skills_that_stay_count(database: Database, now: datetime) -> None:
    await stocked(database, now)
    team = {"technicians.csv": "id,name\ndedi,Mas Dedi\n"}
    assert await put(database, now, team | {"services.csv": "id,skill\npasang-x,tuning\n"}) == {
        "technicians": 1,
        "services": 1,
    }
    left = {"technicians.csv": "id,retired\ndedi,Ya\n"}
    assert await said(database, now, left | {"services.csv": "id,skill\npasang-x,tuning\n"}) == [
        "services.csv line 2: skill 'tuning' is one that no technician has"
    ]


async def test_known_ids_tell_what_a_file_holds(database: Database, now: datetime) -> None:
    await stocked(database, now)
    files = {"harga.csv": "id,price\njbl-x,400000\n", "tarif.csv": "id,price\npasang-x,175000\n"}
    assert await put(database, now, files) == {"parts": 1, "services": 1}


async def test_columns_of_two_kinds_want_a_name(database: Database, now: datetime) -> None:
    await stocked(database, now)
    text = "id,price\njbl-x,400000\npasang-x,175000\n"
    assert await said(database, now, {"harga november.csv": text}) == [
        "harga november.csv line 1: the columns are those of parts, services; name it like one of them"
    ]
    assert (await said(database, now, {"harga parts november.csv": text}))[0].startswith(
        "harga parts november.csv line 3: id pasang-x is new"
    )


@pytest.mark.parametrize(
    "text",
    [
        "ID;Price;On Hand\njbl-x;400000;7\n",
        "id\tprice\ton_hand\njbl-x\t400000\t7\n",
        "id,price,on_hand,,\njbl-x,400000,7,,\n,,,,\n",
        "id,,price,on_hand\rjbl-x,,400000,7\r",
    ],
    ids=["headings as people type them", "tabs", "blank columns at the end", "a blank column, old Mac line ends"],
)
async def test_spreadsheets_leave_their_marks(database: Database, now: datetime, text: str) -> None:
    await stocked(database, now)
    await put(database, now, {"produk.csv": text})
    async with database.read() as session:
        part = await session.get_one(Part, "jbl-x")
    assert (part.price, part.on_hand) == (400_000, 7)


async def test_a_cell_without_a_heading_is_refused(database: Database, now: datetime) -> None:
    await stocked(database, now)
    assert await said(database, now, {"parts.csv": "id,price,\njbl-x,400000,habis\n"}) == [
        "parts.csv line 2: 'habis' is in a column without a heading"
    ]


async def test_a_spreadsheets_error_is_no_text(database: Database, now: datetime) -> None:
    await stocked(database, now)
    assert await said(database, now, {"parts.csv": "id,name\njbl-x,#REF!\n"}) == [
        "parts.csv line 2: name holds the spreadsheet error '#REF!'"
    ]


# --- words -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("written", "amount"),
    [
        ("1250000", 1_250_000),
        ("Rp 1.250.000", 1_250_000),
        ("Rp\u00a01.250.000", 1_250_000),  # as Excel formats a currency
        ("rp1.250.000,-", 1_250_000),
        ("Rp. 1.250.000,00", 1_250_000),
        ("IDR 1,250,000.00", 1_250_000),
        ("RP 350.000", 350_000),
        ("1250000,-", 1_250_000),
        ("0", 0),
    ],
)
def test_money_is_read_however_it_is_written(written: str, amount: int) -> None:
    assert cells.money(written) == amount


@pytest.mark.parametrize(
    "written", ["1.25", "1,25", "350,000", "1.250.00", "Rp", "$5", "1.250.000,50", "1e6", "1 juta"]
)
def test_money_that_may_be_something_else_is_refused(written: str) -> None:
    with pytest.raises(cells.BadCell):
        cells.money(written)


@pytest.mark.parametrize("word", ["Ya", "YA", "yes", "Yes", "TRUE", "Benar", "1"])
def test_yes_in_both_languages(word: str) -> None:
    assert cells.yes_no(word) is True


@pytest.mark.parametrize("word", ["Tidak", "TIDAK", "no", "No", "FALSE", "Salah", "0"])
def test_no_in_both_languages(word: str) -> None:
    assert cells.yes_no(word) is False


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("category", CATEGORIES)
def test_categories_are_read_as_customers_see_them(category: str, language: str) -> None:
    label = render(say(f"category.{category}"), language)
    assert {cells.category(word) for word in (label, label.upper(), category.title())} == {category}


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    ("read_word", "names", "key"),
    [
        (cells.category, CATEGORIES, "catalogue.category"),
        (cells.service_category, SERVICE_CATEGORIES, "catalogue.service_category"),
        (lambda word: WEEKDAYS[cells.weekdays(word)[0]], WEEKDAYS, "catalogue.weekday"),
    ],
)
def test_a_refusal_names_words_that_are_read(
    language: str, read_word: Callable[[str], str], names: tuple[str, ...], key: str
) -> None:
    assert [read_word(word) for word in _words(render(say(key, got="@"), language))] == list(names)


def _words(sentence: str) -> list[str]:
    """ "must be one of a, b, got @" and "harus salah satu dari a, b; tertulis @": a and b."""
    listed = sentence.partition(" one of ")[2] or sentence.partition(" dari ")[2]
    return listed.replace(", got @", "").partition(";")[0].split(", ")


async def test_words_of_the_shop_become_the_catalogues(database: Database, now: datetime) -> None:
    files = {
        "parts.csv": "id,name,category,brand,price,on_hand,mount,discount,is_available,is_pre_order_only\n"
        'a,A,Speaker,JBL,Rp 1.250.000,4,"Speaker 6,5",10%,Ya,Tidak\n'
        "b,B,Head Unit,JBL,900000,4,Universal,,YA,tidak\n"
        "c,C,Aksesoris,JBL,900000,4,,,yes,No\n",
        "services.csv": "id,name,category,price,minutes,installs,onsite\nd,D,Pemasangan,100000,60,Speaker|Kabel,tidak\n",
        "technicians.csv": "id,name,days_off\ne,E,Minggu|Jumat\n",
    }
    await put(database, now, files)
    async with database.read() as session:
        parts = (await session.execute(select(Part.category, Part.mount, Part.discount).order_by(Part.id))).all()
        service = await session.get_one(Service, "d")
        technician = await session.get_one(Technician, "e")
    assert list(map(tuple, parts)) == [
        ("speaker", "speaker-6.5", 10),
        ("headunit", "universal", 0),
        ("accessory", None, 0),
    ]
    assert (service.category, service.installs, service.onsite) == ("installation", ["speaker", "kabel"], False)
    assert technician.days_off == [4, 6]


# --- slips -------------------------------------------------------------------------------------


async def test_a_price_that_can_be_read_in_two_ways_is_asked_about(database: Database, now: datetime) -> None:
    files = {"parts.csv": f"{EVERY_PART_COLUMN}jbl-y,JBL Y,speaker,JBL,1.250,4\n"}
    assert await said(database, now, files) == ["parts.csv line 2: price '1.250' is read as Rp1.250; is that right?"]
    assert await said(database, now, files, "id") == ["parts.csv baris 2: price '1.250' terbaca Rp1.250; benar segitu?"]
    assert await put(database, now, files, sure=True) == {"parts": 1}
    assert await put(database, now, files) == {"parts": 1}, "the answer is in the catalogue now"


@pytest.mark.parametrize("price", ["3500000", "35000", "35.000", "0", "3.500.000"])
async def test_a_price_ten_times_off_is_asked_about(database: Database, now: datetime, price: str) -> None:
    await stocked(database, now)
    files = {"parts.csv": f"id,price\njbl-x,{price}\n"}
    (sentence,) = await said(database, now, files)
    assert sentence.startswith("parts.csv line 2: price of jbl-x changes from Rp350.000 to Rp")
    await put(database, now, files, sure=True)
    async with database.read() as session:
        assert (await session.get_one(Part, "jbl-x")).price == cells.money(price)


async def test_a_services_price_is_asked_about_too(database: Database, now: datetime) -> None:
    await stocked(database, now)
    assert await said(database, now, {"services.csv": "id,price\npasang-x,1500000\n"}) == [
        "services.csv line 2: price of pasang-x changes from Rp150.000 to Rp1.500.000; is that right?"
    ]


@pytest.mark.parametrize("price", ["1749999", "70001", "350000", "500.000"])
async def test_a_usual_change_of_price_is_not_asked_about(database: Database, now: datetime, price: str) -> None:
    await stocked(database, now)
    assert await put(database, now, {"parts.csv": f"id,price\njbl-x,{price}\n"}) == {"parts": 1}


async def test_yes_answers_questions_but_lets_nothing_bad_in(database: Database, now: datetime) -> None:
    await stocked(database, now)
    with pytest.raises(BadFiles):
        await put(database, now, {"parts.csv": "id,price,on_hand\njbl-x,3500000,1\n"}, sure=True)
