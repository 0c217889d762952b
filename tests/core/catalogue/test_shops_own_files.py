"""Files as spreadsheets and shops really make them."""

from datetime import datetime

import pytest
from sqlalchemy import event, select

from conversations.texts import render
from core.catalogue.csv_files import BadFiles, InDoubt, apply, ids, read
from core.db.database import Database
from core.db.tables import Part, Technician

HEADER = "id;name;category;brand;price;on_hand\n"


async def put(database: Database, now: datetime, files: dict[str, str], *, sure: bool = False) -> dict[str, int]:
    async with database.write() as session:
        return await apply(session, read(files, await ids(session)), now=now, sure=sure)


async def part(database: Database) -> Part:
    async with database.read() as session:
        return (await session.scalars(select(Part))).one()


def row(price: str = "350000", on_hand: str = "3", name: str = "JBL X") -> str:
    return f"{HEADER}jbl-x;{name};speaker;JBL;{price};{on_hand}\n"


@pytest.mark.parametrize(
    "above",
    [
        "sep=;\n",
        "\n\n",
        ";;;;;\n",
        "DAFTAR HARGA NOVEMBER 2026;;;;;\n;;;;;\n",
        '"Toko Audio, Jl. Fatmawati";;;;;\nTelp: 0812;;;;;\nPer 28/11/2026;;;;;\n',
    ],
)
async def test_lines_above_the_headings_are_skipped(database: Database, now: datetime, above: str) -> None:
    assert await put(database, now, {"parts.csv": above + row()}) == {"parts": 1}
    assert (await part(database)).name == "JBL X"


async def test_a_bad_line_keeps_its_number_below_a_title() -> None:
    with pytest.raises(BadFiles) as refused:
        read({"parts.csv": "DAFTAR HARGA;;;;;\n\n" + row(price="mahal")})
    assert [line.number for line in refused.value.lines] == [4]


@pytest.mark.parametrize(
    "headings",
    [
        "ID;Nama;Kategori;Merek;Harga;Stok",
        "id*;Nama Barang;KATEGORI;Merk;Harga (Rp);Jumlah",
        "kode;Nama Produk;Kategori;Brand;Harga Jual;Stock",
    ],
)
async def test_headings_are_read_in_the_shops_language(database: Database, now: datetime, headings: str) -> None:
    await put(database, now, {"barang.csv": row().replace(HEADER.strip(), headings)})
    found = await part(database)
    assert (found.id, found.name, found.category, found.brand) == ("jbl-x", "JBL X", "speaker", "JBL")
    assert (found.price, found.on_hand) == (350_000, 3)


async def test_two_headings_for_one_column_are_refused() -> None:
    with pytest.raises(BadFiles) as refused:
        read({"parts.csv": "id;price;harga\njbl-x;1000;2000\n"})
    assert "price" in render(refused.value.lines[0].sentence, "id")


@pytest.mark.parametrize("price", ["350000.00", "350000.0", "350000,00", "350.000 ", "Rp350.000,00", "IDR 350000.00"])
async def test_prices_come_as_other_programs_export_them(database: Database, now: datetime, price: str) -> None:
    await put(database, now, {"parts.csv": row(price=price)})
    assert (await part(database)).price == 350_000


@pytest.mark.parametrize("on_hand", ["3,0", "3.0", "3.00"])
async def test_counts_come_as_other_programs_export_them(database: Database, now: datetime, on_hand: str) -> None:
    await put(database, now, {"parts.csv": row(on_hand=on_hand)})
    assert (await part(database)).on_hand == 3


@pytest.mark.parametrize("on_hand", ["3,5", "1.000", "3 pcs", "-1"])
def test_counts_that_may_mean_something_else_are_refused(on_hand: str) -> None:
    with pytest.raises(BadFiles):
        read({"parts.csv": row(on_hand=on_hand)})


@pytest.mark.parametrize("price", ["350", "Rp 999", "125.00", "0"])
async def test_a_part_that_costs_almost_nothing_is_asked_about(database: Database, now: datetime, price: str) -> None:
    with pytest.raises(InDoubt):
        await put(database, now, {"parts.csv": row(price=price)})
    assert await put(database, now, {"parts.csv": row(price=price)}, sure=True) == {"parts": 1}
    assert await put(database, now, {"parts.csv": row(price=price)}) == {"parts": 1}, "it is the price by now"


async def test_a_service_may_be_free(database: Database, now: datetime) -> None:
    free = "id;name;category;price;minutes\ncek;Cek gratis;konsultasi;0;30\n"
    assert await put(database, now, {"jasa.csv": free}) == {"services": 1}


@pytest.mark.parametrize("price", ["38500", "3600000", "31500", "3.150.000"])
async def test_a_digit_more_or_less_is_asked_about_also_with_a_new_price(
    database: Database, now: datetime, price: str
) -> None:
    await put(database, now, {"parts.csv": row()})
    with pytest.raises(InDoubt):
        await put(database, now, {"parts.csv": row(price=price)})


@pytest.mark.parametrize("price", ["175000", "700000", "100000"])
async def test_a_sale_or_a_rise_is_not_asked_about(database: Database, now: datetime, price: str) -> None:
    await put(database, now, {"parts.csv": row()})
    assert await put(database, now, {"parts.csv": row(price=price)}) == {"parts": 1}


async def test_a_name_is_one_line(database: Database, now: datetime) -> None:
    await put(database, now, {"parts.csv": row(name='"JBL X\n 6,5 inci"')})
    assert (await part(database)).name == "JBL X 6,5 inci"


@pytest.mark.parametrize(
    "phone", ["081219000101", "81219000101", "6281219000101", "+62 812-1900-0101", "0812 1900 0101", "(0812) 19000101"]
)
async def test_phones_are_read_as_people_write_them(database: Database, now: datetime, phone: str) -> None:
    await put(database, now, {"teknisi.csv": f"id;name;phone\ndedi;Dedi;{phone}\n"})
    async with database.read() as session:
        assert (await session.get_one(Technician, "dedi")).phone == "+6281219000101"


@pytest.mark.parametrize("phone", ["6,28122E+12", "12345", "0812", "dedi", "+"])
def test_what_is_no_phone_is_refused(phone: str) -> None:
    with pytest.raises(BadFiles):
        read({"teknisi.csv": f"id;name;phone\ndedi;Dedi;{phone}\n"})


async def test_days_off_are_read_as_people_write_them(database: Database, now: datetime) -> None:
    await put(database, now, {"teknisi.csv": "id;name;days_off\ndedi;Dedi;Jum'at, Minggu\n"})
    async with database.read() as session:
        assert (await session.get_one(Technician, "dedi")).days_off == [4, 6]


async def test_many_lines_take_few_statements(database: Database, now: datetime) -> None:
    lines = HEADER + "".join(f"p-{number};Part {number};speaker;JBL;{100_000 + number};3\n" for number in range(2_000))
    statements: list[str] = []

    def listen(_: object, __: object, statement: str, *more: object) -> None:
        statements.append(statement)

    event.listen(database.engine.sync_engine, "before_cursor_execute", listen)
    await put(database, now, {"parts.csv": lines})
    added = len(statements)
    await put(database, now, {"parts.csv": lines.replace(";3\n", ";4\n")})
    event.remove(database.engine.sync_engine, "before_cursor_execute", listen)
    assert (added < 50, len(statements) - added < 50) == (True, True), statements
    async with database.read() as session:
        assert set(await session.scalars(select(Part.on_hand))) == {4}
