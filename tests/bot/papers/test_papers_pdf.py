"""Receipts and credit notes as PDF, and identical bytes for every paper."""

import io
import os
import pickle
import subprocess
import sys
from datetime import UTC, datetime
from hashlib import sha256
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pypdf import PdfReader

from bot.papers import pdf
from core.papers.credit_notes import CreditedInvoice, CreditNoteFacts
from core.papers.invoices import CREDITED, InvoiceFacts, InvoiceLine, Payment
from core.papers.numbering import PaperFacts
from core.papers.receipts import ReceiptFacts
from core.states import Location

ISSUED = datetime(2026, 11, 23, 3, 12, tzinfo=UTC)
HOSTILE = "<b>Sari</b> {pages} محمد 😀🚗 " + "Wijaya " * 30
HEAD: dict[str, Any] = {
    "number": "X/2026/00007",
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
}


def receipt(**changes: Any) -> ReceiptFacts:
    facts = {
        "amount": 300_000,
        "purpose": "down_payment",
        "method": "bca_va",
        "invoice": None,
        "total": 1_001_000,
        "paid": 300_000,
        "remaining": 701_000,
    }
    return ReceiptFacts(**HEAD | facts | changes)


def credit_note(**changes: Any) -> CreditNoteFacts:
    facts = {
        "reason": "cancelled",
        "invoices": (CreditedInvoice(number="INV/2026/00042", issued_at=ISSUED, items=("Speaker",), total=1_332_000),),
        "credited_before": 0,
        "keeps": 300_000,
        "tax_base": 852_252,
        "tax_amount": 102_270,
        "total": 1_032_000,
    }
    return CreditNoteFacts(**HEAD | facts | changes)


def invoice(**changes: Any) -> InvoiceFacts:
    line = InvoiceLine(
        name="Speaker 😀 محمد", kind="part", quantity=1, price=500_000, discount=0, total=500_000, warranty_months=12
    )
    facts = {
        "starts_at": ISSUED,
        "location": Location.WORKSHOP,
        "address": None,
        "technician": "Agus",
        "lines": (line,),
        "subtotal_parts": 500_000,
        "subtotal_services": 0,
        "onsite_fee": 0,
        "additional_costs": 0,
        "discounts": 0,
        "tax_base": 0,
        "tax_amount": 0,
        "total": 500_000,
    }
    return InvoiceFacts(**HEAD | facts | changes)


@pytest.mark.parametrize(
    ("facts", "language", "words"),
    [
        (receipt(), "id", ["KWITANSI", "X/2026/00007", "Sudah terima dari Sari Wulandari", "Tiga ratus ribu rupiah"]),
        (receipt(), "id", ["Uang muka booking BK-7F3K2Q", "VA BCA · 23 Nov 2026", "Sisa tagihan Rp701.000", "DITERIMA"]),
        (receipt(purpose="rest", remaining=0, paid=1_001_000), "id", ["Pelunasan", "Sebelumnya Rp701.000", "LUNAS"]),
        (receipt(purpose="part", invoice="INV/2026/00003"), "id", ["Angsuran", "Invoice INV/2026/00003"]),
        (receipt(purpose="whole", amount=1_001_000), "id", ["Satu juta seribu rupiah", "dibayar penuh"]),
        (receipt(purpose="late"), "id", ["diterima setelah booking dibatalkan"]),
        (receipt(), "en", ["RECEIPT", "Received from", "Three hundred thousand rupiah", "Balance due"]),
        (credit_note(), "id", ["NOTA KREDIT", "Booking dibatalkan", "Invoice INV/2026/00042 · 23 Nov 2026 Speaker"]),
        (credit_note(), "id", ["Biaya pembatalan, tetap ditagih −Rp300.000", "Dikreditkan Rp1.032.000", "Rp102.270"]),
        (credit_note(), "id", ["Satu juta tiga puluh dua ribu rupiah", "Termasuk PPN 12% × DPP Rp852.252"]),
        (credit_note(reason="refunded", credited_before=5), "en", ["CREDIT NOTE", "Still billed", "Corrected before −Rp5"]),
    ],
)  # fmt: skip
def test_papers_show_all_facts(facts: PaperFacts, language: str, words: list[str]) -> None:
    text = _text(facts, language=language).casefold()
    for word in words:
        assert word.casefold() in text


def test_missing_facts_are_left_out() -> None:
    plain = credit_note(keeps=0, tax_base=0, tax_amount=0)
    assert not [word for word in ("PPN", "tetap ditagih", "sebelumnya") if word in _text(plain)]
    assert "Sisa tagihan" not in _text(receipt(purpose="late")), "nothing is owed for what was cancelled"


def test_invoice_shows_credit_and_refund_due() -> None:
    paid = Payment(ISSUED, "received", "qris", 200_000)
    off = Payment(ISSUED, CREDITED, "NK/2026/00001", 450_000)
    back = Payment(ISSUED, "refunded", "transfer", -150_000)
    open_text, done = _text(invoice(), paid, off), _text(invoice(), paid, off, back)
    assert "Nota kredit NK/2026/00001 −Rp450.000 Kami kembalikan Rp150.000" in open_text
    assert "Sisa tagihan Rp0" in done
    assert "DIKOREKSI" in done
    assert "DANA DIKEMBALIKAN" in _text(invoice(), paid, off, back, back._replace(amount=-50_000))
    assert "Tunjukkan kode ini" not in open_text, "nobody is expected any more"


@settings(max_examples=5, deadline=None)
@given(words=st.text(max_size=400), amount=st.integers(1, 10**15))
def test_any_receipt_or_credit_note_fits_one_page(words: str, amount: int) -> None:
    person = {"customer_name": words, "car": words, "plate": words, "customer_email": words}
    for facts in (
        receipt(**person, amount=amount, method=words, total=amount),
        credit_note(**person, total=amount, keeps=amount),
    ):
        assert len(PdfReader(io.BytesIO(pdf.draw(facts, language="id"))).pages) == 1


def test_papers_are_the_same_bytes_in_another_process() -> None:
    """Another hash seed orders sets and dicts differently, and the time has passed."""
    person = {"customer_name": HOSTILE, "car": HOSTILE}
    paid = (Payment(ISSUED, "received", "qris", 1), Payment(ISSUED, CREDITED, "NK/2026/00001", 5))
    wanted = [(receipt(**person), ()), (credit_note(**person), ()), (invoice(**person), paid)]
    here = [sha256(pdf.draw(facts, payments, language="id")).hexdigest() for facts, payments in wanted]
    made = subprocess.run(
        [sys.executable, "-c", _ELSEWHERE],
        input=pickle.dumps(wanted),
        capture_output=True,
        check=True,
        env=os.environ | {"PYTHONHASHSEED": "4711", "TZ": "America/New_York"},
    )
    assert made.stdout.decode().split() == here


async def test_papers_are_cached() -> None:
    first = await pdf.make(receipt(), language="id")
    assert await pdf.make(receipt(), language="id") is first
    assert await pdf.make(receipt(amount=1), language="id") != first


_ELSEWHERE = """
import pickle, sys
from hashlib import sha256
from bot.papers import pdf
for facts, payments in pickle.load(sys.stdin.buffer):
    print(sha256(pdf.draw(facts, payments, language="id")).hexdigest())
"""


def _text(facts: PaperFacts, *payments: Payment, language: str = "id") -> str:
    pages = PdfReader(io.BytesIO(pdf.draw(facts, payments, language=language))).pages
    return " ".join(" ".join(page.extract_text().split()) for page in pages)
