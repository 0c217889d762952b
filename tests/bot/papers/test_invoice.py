"""The invoice's PDF: all facts, any typed text, and the same bytes every time."""

import asyncio
import io
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from bot.papers import pdf
from bot.papers.letterhead import in_words
from bot.papers.sheet import Paper
from core.papers.invoices import InvoiceFacts, InvoiceLine, Payment
from core.states import Location

ISSUED = datetime(2026, 11, 23, 3, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("amount", "words"),
    [
        (0, "nol rupiah"),
        (1, "satu rupiah"),
        (11, "sebelas rupiah"),
        (100, "seratus rupiah"),
        (1_000, "seribu rupiah"),
        (1_999, "seribu sembilan ratus sembilan puluh sembilan rupiah"),
        (21_000, "dua puluh satu ribu rupiah"),  # one of several thousand stays "satu ribu"
        (101_000, "seratus satu ribu rupiah"),
        (1_001_000, "satu juta seribu rupiah"),
        (1_100_000, "satu juta seratus ribu rupiah"),
        (21_000_000, "dua puluh satu juta rupiah"),
        (1_021_000_000, "satu miliar dua puluh satu juta rupiah"),
        (1_001_001_000, "satu miliar satu juta seribu rupiah"),
        (2_000_001_500, "dua miliar seribu lima ratus rupiah"),
        (3_000_000_001_000, "tiga triliun seribu rupiah"),
    ],
)
def test_amounts_in_indonesian_words(amount: int, words: str) -> None:
    assert in_words(amount, "id") == words.capitalize()


def test_amounts_in_english_words() -> None:
    assert in_words(1_021_000, "en") == "One million, twenty-one thousand rupiah"


@pytest.mark.parametrize("count", [1, 25, 60])
def test_every_line_is_on_the_invoice(count: int) -> None:
    lines = [
        _line(f"Speaker no. {number}", price=100_000 + number, quantity=1 + number % 3, discount=number % 2 * 10)
        for number in range(count)
    ]
    text = _text(_facts(*lines))
    for line in lines:
        discount = f"{line.discount}%" if line.discount else "–"
        row = f"{line.name} Garansi 12 bulan sejak pekerjaan selesai {line.quantity} {_rp(line.price)} {discount} {_rp(line.total)}"
        assert row in text


def test_long_invoice_repeats_head_and_counts_pages() -> None:
    pages = _pages(_facts(*(_line(f"Kabel {number}") for number in range(25))))
    assert len(pages) == 2
    for number, page in enumerate(pages, start=1):
        assert "Barang & jasa Jml Harga Diskon Jumlah" in page
        assert f"Halaman {number} dari 2" in page
        assert "INV/2026/00042" in page


def test_supplement_names_its_invoice() -> None:
    text = _text(_facts(_line("Kabel RCA"), supplements="INV/2026/00041"))
    assert "Tambahan untuk INV/2026/00041" in text


def test_head_customer_car_and_appointment_are_shown() -> None:
    text = _text(_facts(_line("Speaker")))
    for words in (
        "Bengkel Suara Jaya",
        "Jl. Raya Fatmawati No. 21, Jakarta Selatan",
        "+62 21 7654321",
        "Tanggal 23 Nov 2026",
        "Sari Wulandari",
        "+62 812-3456-7890",
        "sari@example.com",
        "Toyota Avanza 2018",
        "Nomor polisi B 1234 KJS",
        "BK-7F3K2Q",
        "Sabtu, 28 Nov 2026",
        "Pukul 10:00",
        "Teknisi Agus",
        "Dikerjakan di bengkel",
    ):
        assert words in text


@pytest.mark.parametrize(
    ("amounts", "mark", "remaining"),
    [
        ([], "BELUM LUNAS", 1_000_000),
        ([300_000], "DP DITERIMA", 700_000),
        ([300_000, 700_000], "LUNAS", 0),
        ([1_200_000], "LUNAS", 0),  # paid too much: never a negative bill
        ([300_000, -300_000], "DANA DIKEMBALIKAN", 0),  # nobody is asked for it again
    ],
)
def test_mark_follows_from_the_payments(amounts: list[int], mark: str, remaining: int) -> None:
    payments = [Payment(ISSUED, "received" if amount > 0 else "refunded", "qris", amount) for amount in amounts]
    text = _text(_facts(_line("Speaker", price=1_000_000)), payments)
    assert f" {mark} KEPADA" in text
    assert f"Sisa tagihan {_rp(remaining)}" in text


def test_payments_show_local_date_method_and_amount() -> None:
    payments = [
        Payment(datetime(2026, 11, 23, 17, 30, tzinfo=UTC), "received", "bca_va", 400_000),  # past midnight in Jakarta
        Payment(datetime(2026, 11, 25, 3, 0, tzinfo=UTC), "refunded", "bca_va", -100_000),
        Payment(datetime(2026, 11, 26, 3, 0, tzinfo=UTC), "received", "new_way", 50_000),
    ]
    text = _text(_facts(_line("Speaker")), payments)
    assert "Diterima 24 Nov 2026 · VA BCA −Rp400.000" in text
    assert "Dikembalikan 25 Nov 2026 · VA BCA Rp100.000" in text
    assert "Diterima 26 Nov 2026 · new_way −Rp50.000" in text


def test_ppn_shows_base_and_amount() -> None:
    """The regulation's example: Rp1.200.000 gives a base of Rp1.100.000 and PPN of Rp132.000."""
    line = _line("Speaker", price=1_200_000)
    text = _text(_facts(line, tax_base=1_100_000, tax_amount=132_000, total=1_332_000))
    assert "PPN 12% × DPP Rp1.100.000" in text
    assert "Rp132.000" in text
    assert "Rp1.332.000" in text
    assert "Satu juta tiga ratus tiga puluh dua ribu rupiah" in text
    assert "PPN" not in _text(_facts(line))


def test_onsite_job_shows_fee_and_address() -> None:
    facts = _facts(_line("Speaker"), onsite_fee=150_000, location=Location.ONSITE, address="Jl. Melati 3, Bekasi")
    text = _text(facts)
    assert "Biaya kunjungan" in text
    assert "Rp150.000" in text
    assert "Di lokasi: Jl. Melati 3, Bekasi" in text
    assert "Di lokasi yang Kakak bagikan" in _text(facts.model_copy(update={"address": None}))


def test_discounts_are_totalled() -> None:
    text = _text(_facts(_line("Speaker", price=1_000_000, quantity=2, discount=15)))
    assert "Kakak hemat Rp300.000 dari diskon" in text


def test_english_invoice_has_no_indonesian() -> None:
    text = _text(_facts(_line("Speaker")), [Payment(ISSUED, "cash", "cash", 1_000_000)], language="en")
    for words in (
        "PAID IN FULL",
        "BILL TO",
        "Saturday, 28 Nov 2026",
        "12 months' warranty",
        "One million rupiah",
        "Cash",
    ):
        assert words in text
    assert "Total" in text
    assert "Garansi" not in text


@pytest.mark.parametrize(
    ("typed", "shown"),
    [
        ("<b>tebal</b> & **x** __y__", "<b>tebal</b> & **x** __y__"),  # markup of any kind is just text
        ("{nb} {pages}", "{nb} {pages}"),  # fpdf2's placeholder for the number of pages
        ("\u2007dua", "dua"),  # ours
        ("a\x00b\x1bc\u202ed\u200be", "abcde"),  # control and direction signs
        ("satu\r\ndua\ttiga", "satu dua tiga"),  # one line
        ("Andre\u0301", "André"),  # composed
        ("Łódź Тойота Ελλάς", "Łódź Тойота Ελλάς"),
        ("Sari 😀", "Sari 😀"),
        ("Sari 🚗\U0001f3fd\u200d🔧", "Sari"),  # no font has these
        ("陈 ไทย", "□ □□□"),
        ("\ud800x", "x"),  # a lone surrogate
        ("=1+1", "=1+1"),
    ],
)
def test_odd_text_never_raises(typed: str, shown: str) -> None:
    assert f"KEPADA {shown} +62" in _text(_facts(_line("Speaker"), customer_name=typed))


def test_arabic_is_shaped_right_to_left() -> None:
    paper = Paper(title="", author="", language="id", made_at=ISSUED)
    initial_seen, final_lam_alef, isolated_meem = "\ufeb3", "\ufefc", "\ufee1"
    assert paper.printable("Ali سلام") == f"Ali {isolated_meem}{final_lam_alef}{initial_seen}"


@settings(max_examples=15, deadline=None)
@given(name=st.text(max_size=400), item=st.text(max_size=4000), price=st.integers(0, 10**15))
def test_any_typed_text_makes_a_valid_invoice(name: str, item: str, price: int) -> None:
    facts = _facts(_line(item, price=price), customer_name=name, plate=name, car=item, shop_name=name or "x")
    assert _pages(facts)


def test_long_name_leaves_the_total_whole() -> None:
    text = _text(_facts(_line("Super " * 2_000, price=999_999_999_999)))
    assert text.count("Rp999.999.999.999") >= 4


def test_same_invoice_gives_same_bytes() -> None:
    facts, payments = _facts(_line("Speaker 😀"), _line("محمد")), [Payment(ISSUED, "received", "qris", 1)]
    assert pdf.draw(facts, payments, language="id") == pdf.draw(facts, payments, language="id")


async def test_rendering_is_off_the_loop_and_cached() -> None:
    facts = _facts(*(_line(f"Speaker {number}") for number in range(40)), number="INV/2026/09999")
    making = asyncio.create_task(pdf.make(facts, [], language="id"))
    turns = 0
    while not making.done():
        await asyncio.sleep(0)
        turns += 1
    assert turns > 10
    assert await pdf.make(facts, [], language="id") is await making
    paid = [Payment(ISSUED, "received", "qris", 1_000)]
    assert await pdf.make(facts, paid, language="id") != await making
    assert await pdf.make(facts, [], language="en") != await making


def _line(name: str, *, price: int = 1_000_000, quantity: int = 1, discount: int = 0) -> InvoiceLine:
    total = quantity * (price - price * discount // 100)
    return InvoiceLine(
        name=name,
        kind="part",
        quantity=quantity,
        price=price,
        discount=discount,
        total=total,
        warranty_months=12,
    )


def _facts(*lines: InvoiceLine, **changes: Any) -> InvoiceFacts:
    subtotal = sum(line.total for line in lines)
    facts: dict[str, Any] = {
        "number": "INV/2026/00042",
        "issued_at": ISSUED,
        "timezone": "Asia/Jakarta",
        "shop_name": "Bengkel Suara Jaya",
        "shop_address": "Jl. Raya Fatmawati No. 21",
        "shop_city": "Jakarta Selatan",
        "shop_contact": "+62217654321",
        "shop_email": "halo@suarajaya.example",
        "customer_name": "Sari Wulandari",
        "customer_phone": "+6281234567890",
        "customer_email": "sari@example.com",
        "car": "Toyota Avanza 2018",
        "plate": "B 1234 KJS",
        "booking_code": "BK-7F3K2Q",
        "starts_at": datetime(2026, 11, 28, 3, 0, tzinfo=UTC),
        "location": Location.WORKSHOP,
        "address": None,
        "technician": "Agus",
        "lines": lines,
        "subtotal_parts": subtotal,
        "subtotal_services": 0,
        "onsite_fee": 0,
        "additional_costs": 0,
        "discounts": sum(line.quantity * line.price - line.total for line in lines),
        "tax_base": 0,
        "tax_amount": 0,
        "total": subtotal + changes.get("onsite_fee", 0),
    }
    return InvoiceFacts(**facts | changes)


def _pages(facts: InvoiceFacts, payments: list[Payment] | None = None, *, language: str = "id") -> list[str]:
    made = pdf.draw(facts, payments or [], language=language)
    return [" ".join(page.extract_text().split()) for page in PdfReader(io.BytesIO(made)).pages]


def _text(facts: InvoiceFacts, payments: list[Payment] | None = None, *, language: str = "id") -> str:
    return " ".join(_pages(facts, payments, language=language))


def _rp(amount: int) -> str:
    return f"Rp{amount:,}".replace(",", ".")
