"""What can be a name, and where somebody can be sent to."""

import pytest

from conversations.understand.contacts import means_profile, read_address, read_name


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Yanto (istri)", "Yanto"),
        ("Siti [kantor", "Siti"),
        ("Budi 🚗", "Budi"),
        ("✨ Rina ✨", "Rina"),
        ("bp. joko", "Joko"),
        ("Bpk Ahmad", "Ahmad"),
        ("ny. sari", "Sari"),
        ("BUDI SANTOSO", "Budi Santoso"),
        ("TJ", "TJ"),  # initials
        ("*Dewi*", "Dewi"),
        ("nama saya andi aja ya", "Andi"),
        ("Muhammad Rizki Ramadhan Al Fatih", "Muhammad Rizki Ramadhan Al Fatih"),
        ("🙂", None),
        ("yang tadi aja", None),
        ("berapa harganya", None),
        ("mau ganti mobil", None),
        ("bisa hari minggu ga", None),
        ("what time do you open", None),
        ("saya ingin pasang besok pagi kalau ada tempat kosong", None),
    ],
)
def test_a_name_is_cleaned_and_a_sentence_is_none(text: str, name: str | None) -> None:
    assert read_name(text) == name


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("sama kayak nama wa aja", True),
        ("sesuai nama telegram", True),
        ("pakai nama profil aja", True),
        ("ikut nama di wa", True),
        ("Budi", False),
        ("Budi, wa saya ini juga", False),
        ("sama seperti tadi", False),
    ],
)
def test_the_profiles_name_can_be_meant(text: str, meant: bool) -> None:
    assert means_profile(text) is meant


@pytest.mark.parametrize(
    "text",
    [
        "di rumah saya",
        "rumah",
        "sini aja",
        "ke kantor aja kak",
        "rumah ortu yang kemarin",
        "di tempat saya dong",
        "alamat sesuai ktp",
        "nanti saya share lokasi",
        "komplek perumahan",
        "my place please",
    ],
)
def test_a_place_that_leads_nobody_there_is_none(text: str) -> None:
    assert read_address(text) is None


@pytest.mark.parametrize(
    "text",
    [
        "Jl. Kemang Raya 8",
        "gg haji nawi 3",
        "rumah mertua di bekasi",
        "apartemen kalibata city",
        "komplek polri ragunan",
        "rumah no 12",
        "dekat alfamart cipete",
        "desa sukamaju rt 02 rw 05",
    ],
)
def test_a_street_a_number_or_a_name_is_a_place(text: str) -> None:
    assert read_address(text) == text
