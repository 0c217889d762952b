"""What people ask before they buy is answered from the catalogue, the settings and the calendar."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime
from typing import Any

import pytest
from sqlalchemy import update

from conversations import advice
from conversations.advice import Advice, Wish
from conversations.incoming import Incoming
from conversations.state import State
from conversations.texts import render
from conversations.turn import Turn
from conversations.understand import understand
from conversations.understand.lexicon import Lexicon
from core.catalogue import snapshot
from core.catalogue.advice import Excluded
from core.catalogue.attributes import Attributes, PartType, Rank
from core.context import Context
from core.db.database import Database
from core.db.tables import Closure, Contact, Customer, Part
from core.messaging.messages import Document, Option
from core.shop import Shop

AVANZA = ("Toyota", "Avanza", 2018)
KEY = "0123456789abcdef0123456789abcdef.jpg"


@dataclass
class Asking:
    """Somebody who asks; `shown` are the parts on the screen."""

    database: Database
    shop: Shop
    now: datetime
    language: str = "id"
    shown: tuple[str, ...] = ()

    async def ask(self, topic: str, text: str = "", **wished: Any) -> tuple[str, list[str]]:
        """The answer as text, and the ids of its options; without a wish, as the text is understood."""
        async with self.turn(text) as turn:
            wish = Wish(text=text, **wished) if wished else None
            said = await advice.answer(turn, topic, wish)
        assert said is not None
        return self.read(said), [option.id for option in said.options]

    def read(self, said: Advice) -> str:
        return "\n".join(render(each, self.language) for each in said.says)

    def label(self, option: Option) -> str:
        return render(option.hint or "", self.language)

    @asynccontextmanager
    async def turn(self, text: str) -> AsyncIterator[Turn]:
        async with self.database.read() as session:
            catalogue = await snapshot.load(session)
            lexicon = Lexicon.of(catalogue)
            state = State.from_json({}, now=self.now)
            state.shown = [(each, catalogue.parts[each].name) for each in self.shown]
            contact = Contact(channel="telegram", address="1", language=self.language, customer=Customer(id=1))
            understood = understand(text, lexicon, now=self.shop.local(self.now), shop=self.shop)
            context = Context(session, self.shop, self.now)
            yield Turn(
                context,
                catalogue,
                lexicon,
                "0" * 16,
                contact,
                state,
                Incoming("telegram", "1", "1", text=text),
                understood,
            )


@pytest.fixture
def sari(stocked: Database, shop: Shop, now: datetime) -> Asking:
    return Asking(stocked, shop, now)


# Both databases where one is asked; the words are the same.
one_database = pytest.mark.parametrize("stocked", ["sqlite"], indirect=True)


# --- recommend ---------------------------------------------------------------------------------


async def test_two_or_three_that_fit_car_and_budget_are_recommended_with_reasons(sari: Asking) -> None:
    said, options = await sari.ask(
        "recommend", categories=("speaker",), attributes=Attributes(price_max=2_000_000), car=AVANZA
    )
    assert options == ["jbl-stage3-607cf", "pioneer-ts-a1670f", "avix-ax-602cx"]
    assert said.splitlines() == [
        "Speaker untuk Toyota Avanza 2018 dengan budget Rp2.000.000, saran kami:",
        '• JBL Stage3 607CF Component 6,5": kelas paling tinggi, garansi 12 bulan. Terpasang Rp1.599.000',
        '• Pioneer TS-A1670F Coaxial 6,5": watt paling besar (70 W), garansi 12 bulan. Terpasang Rp909.050',
        '• Avix AX-602CX Coaxial 6,5": paling murah. Terpasang Rp449.000',
    ]


@one_database
async def test_a_budget_without_a_category_gets_one_of_each_kind(sari: Asking) -> None:
    said, options = await sari.ask("recommend", attributes=Attributes(price_max=3_000_000), car=AVANZA)
    assert 2 <= len(options) <= 5
    assert "paket-audio-harian" in options
    assert "Rp3.000.000" in said


@one_database
async def test_a_budget_that_pays_for_nothing_is_told_and_a_person_offered(sari: Asking) -> None:
    said, options = await sari.ask("recommend", attributes=Attributes(price_max=10_000), car=AVANZA)
    assert options == ["human"]
    assert "Rp10.000" in said


@one_database
async def test_a_budget_below_every_price_shows_the_nearest(sari: Asking) -> None:
    said, options = await sari.ask(
        "recommend", categories=("speaker",), attributes=Attributes(price_max=100_000), car=AVANZA
    )
    assert said.startswith("Yang di bawah Rp100.000 belum ada, Kak. Ini yang paling dekat.")
    assert "avix-ax-602cx" in options


@one_database
async def test_without_a_car_it_is_asked_for(sari: Asking) -> None:
    said, _ = await sari.ask("recommend", categories=("speaker",))
    assert said.endswith("Sebut mobil dan tahunnya ya Kak, biar kami pastikan cocok.")


@one_database
async def test_what_was_refused_is_not_recommended(sari: Asking) -> None:
    _, options = await sari.ask(
        "recommend", categories=("speaker",), car=AVANZA, excluded=Excluded(brands={"Avix", "Embassy", "ADS"})
    )
    assert not {"avix-ax-602cx", "embassy-es-655c", "ads-ad-6200"} & set(options)


@one_database
async def test_the_best_is_named_first_where_the_best_is_asked(sari: Asking) -> None:
    _, options = await sari.ask("recommend", categories=("subwoofer",), attributes=Attributes(order=Rank.BEST))
    assert options[0] == "alpine-r2-w12d4"


@one_database
async def test_what_fits_every_car_needs_no_car(sari: Asking) -> None:
    said, _ = await sari.ask("price", categories=("amplifier",))
    assert "Sebut mobil" not in said


@one_database
async def test_prices_before_tax_are_called_so(sari: Asking) -> None:
    sari = replace(sari, shop=sari.shop.model_copy(update={"charge_ppn": True}))
    said, _ = await sari.ask("recommend", categories=("speaker",), car=AVANZA)
    assert said.endswith("Harganya belum termasuk PPN.")


@one_database
async def test_several_questions_about_one_thing_are_answered_once(sari: Asking) -> None:
    async with sari.turn("dashcam ada? berapa") as turn:
        said = await advice.answer_all(turn, ["price", "stock", "warranty"], Wish(parts=("nakamichi-nd28",)))
        nothing = await advice.answer_all(turn, ["greet"])
    assert said is not None
    assert [option.id for option in said.options] == ["nakamichi-nd28"]
    assert sari.read(said).count("stok") == 1
    assert "Garansinya" in sari.read(said)
    assert nothing is None


@one_database
async def test_too_little_to_recommend_anything_is_no_answer(sari: Asking) -> None:
    async with sari.turn("rekomendasi dong") as turn:
        assert await advice.answer(turn, "recommend") is None
        assert await advice.answer(turn, "no such topic") is None


@one_database
async def test_english_is_answered_in_english(sari: Asking) -> None:
    sari = replace(sari, language="en")
    said, _ = await sari.ask(
        "recommend", categories=("subwoofer",), attributes=Attributes(price_max=3_000_000), car=AVANZA
    )
    assert said.startswith("Subwoofers for Toyota Avanza 2018 within Rp3.000.000, we suggest:")
    assert "the highest class" in said


# --- compare -----------------------------------------------------------------------------------


async def test_two_brands_are_compared_by_the_like_of_each(sari: Asking) -> None:
    said, options = await sari.ask("compare", "bagusan mana skeleton sama avix")
    assert len(options) == 2
    assert options[0].startswith("skeleton")
    assert options[1].startswith("avix")
    assert "Harga: " in said
    assert "lebih murah" in said


@one_database
async def test_two_named_parts_are_compared(sari: Asking) -> None:
    said, options = await sari.ask("compare", parts=("jbl-stage3-607cf", "jbl-stage3-9637f"), car=AVANZA)
    assert options == ["jbl-stage3-607cf", "jbl-stage3-9637f"]
    assert said.splitlines() == [
        'JBL Stage3 607CF Component 6,5" dan JBL Stage3 9637F Oval 6x9":',
        "• Harga: Rp1.299.000 / Rp1.199.000",
        "• Stok: 8 / 4",
        "• Di mobil Kakak: cocok / tidak cocok",
        "• Jenis: component (split) / coaxial",
        "• Ukuran: 6,5 / 6×9 inci",
        "• Daya: 50 / 75 W RMS",
        'JBL Stage3 9637F Oval 6x9" lebih murah Rp100.000.',
    ]


@one_database
async def test_the_two_on_the_screen_are_compared_where_none_is_named(sari: Asking) -> None:
    sari = replace(sari, shown=("venom-v9-plus", "orca-adr-9988"))
    _, options = await sari.ask("compare", "bagusan mana kak?")
    assert options == ["venom-v9-plus", "orca-adr-9988"]


@one_database
async def test_a_part_is_compared_with_the_like_of_a_brand(sari: Asking) -> None:
    _, options = await sari.ask("compare", parts=("jbl-stage3-607cf",), brands=("jbl", "sony"))
    assert options == ["jbl-stage3-607cf", "sony-xs-fb1621c"]


@one_database
async def test_what_to_compare_is_asked_where_nothing_is_said(sari: Asking) -> None:
    said, _ = await sari.ask("compare", "bagusan mana?")
    assert said == "Mau bandingkan yang mana, Kak? Sebut dua barang atau dua merek."


# --- price and stock ---------------------------------------------------------------------------


@one_database
@pytest.mark.parametrize(
    ("wished", "first", "count"),
    [
        ({"categories": ("speaker",), "attributes": Attributes(brand="Pioneer")}, "pioneer-ts-a1670f", 2),
        ({"categories": ("amplifier",), "attributes": Attributes(channels=4)}, "skeleton-skt-4-80", 5),
        ({"categories": ("speaker",), "attributes": Attributes(price_max=1_000_000)}, "avix-ax-602cx", 5),
        ({"categories": ("speaker",), "attributes": Attributes(order=Rank.BEST)}, "alpine-r2-s653", 5),
        ({"categories": ("headunit",), "attributes": Attributes(type=PartType.ANDROID, size="9")}, "orca-adr-9988", 4),
    ],
    ids=["brand", "channels", "below", "best", "android 9 inch"],
)
async def test_parts_are_listed_by_their_attributes(
    sari: Asking, wished: dict[str, Any], first: str, count: int
) -> None:
    said, options = await sari.ask("price", car=AVANZA, **wished)
    assert options[0] == first
    assert len(options) == count
    assert "Rp" in said


@one_database
@pytest.mark.parametrize(
    ("kind", "id_"), [(PartType.DASHCAM, "nakamichi-nd28"), (PartType.REAR_CAMERA, "venom-vrc-360")]
)
async def test_the_dashcam_is_found_among_the_accessories(sari: Asking, kind: PartType, id_: str) -> None:
    said, options = await sari.ask("stock", categories=("accessory",), attributes=Attributes(type=kind))
    assert options == [id_]
    assert "stok" in said


@one_database
async def test_one_part_is_shown_whole(sari: Asking) -> None:
    said, options = await sari.ask("price", parts=("jbl-stage3-607cf",), car=AVANZA)
    assert options == ["jbl-stage3-607cf"]
    assert said.splitlines() == [
        'JBL Stage3 607CF Component 6,5"',
        "Rp1.299.000 · stok 8",
        "component (split), 6,5 inci, 50 W RMS, garansi 12 bulan",
        "✅ Cocok untuk Toyota Avanza 2018.",
        "Terpasang Rp1.599.000 (Pasang Speaker Component 2-Way, 2 jam).",
    ]


@one_database
async def test_an_adapter_is_in_the_price_installed(sari: Asking) -> None:
    said, _ = await sari.ask("price", parts=("venom-v9-plus",), car=AVANZA)
    assert 'perlu Frame Head Unit 9" Avanza/Xenia (Rp269.000)' in said
    assert "Terpasang Rp3.068.000" in said  # 2.599.000 + 269.000 + 200.000


@one_database
async def test_a_part_that_does_not_fit_shows_those_that_do(sari: Asking) -> None:
    said, options = await sari.ask("price", parts=("jbl-stage3-9637f",), car=AVANZA)
    assert "Tidak cocok untuk Toyota Avanza 2018" in said
    assert "jbl-stage3-9637f" not in options
    assert len(options) == 3


@one_database
async def test_what_is_sold_out_says_so_with_others_and_an_alert(sari: Asking) -> None:
    said, options = await sari.ask("stock", parts=("boston-s65",), car=AVANZA)
    assert "habis" in said
    assert "kabari kalau ada" in said
    assert options
    assert "boston-s65" not in options


@one_database
async def test_a_size_nobody_sells_is_named_and_the_nearest_shown(sari: Asking) -> None:
    said, options = await sari.ask("price", categories=("speaker",), attributes=Attributes(brand="Venom", size="8"))
    assert said.startswith("Yang 8 inci belum ada, Kak. Ini yang paling dekat.")
    assert options == ["venom-virus-v6-2", "venom-inferno-vx-6-3"]


@one_database
async def test_prices_of_services_are_told(sari: Asking) -> None:
    _, options = await sari.ask("price", services=("tuning-audio",))
    assert options == ["tuning-audio"]
    wanted = Attributes(type=PartType.DAMPING)
    _, options = await sari.ask("price", services=("peredam-pintu",), categories=("accessory",), attributes=wanted)
    assert options == ["peredam-pintu", "venom-vibro-damping-2-mm"]


async def test_a_part_s_picture_is_sent(sari: Asking) -> None:
    async with sari.database.write() as session:
        await session.execute(
            update(Part).where(Part.id == "jbl-stage3-607cf").values(images=["https://a.example/1.jpg", KEY])
        )
        await session.execute(update(Part).where(Part.id == "venom-v9-plus").values(images=["https://a.example/2.jpg"]))
    async with sari.turn("jbl") as turn:
        stored = await advice.answer(turn, "price", Wish(parts=("jbl-stage3-607cf",)))
        linked = await advice.answer(turn, "price", Wish(parts=("venom-v9-plus",)))
        without = await advice.answer(turn, "price", Wish(parts=("hertz-k-165",)))
    assert stored is not None
    assert (stored.document, stored.link) == (Document("photo", KEY), None)
    assert linked is not None
    assert (linked.document, linked.link.url if linked.link else None) == (None, "https://a.example/2.jpg")
    assert without is not None
    assert (without.document, without.link) == (None, None)


@one_database
async def test_the_one_described_is_chosen(sari: Asking) -> None:
    sari = replace(sari, shown=("venom-vx-8-8-sl", "jbl-basspro-sl2"))
    async with sari.turn("yg venom 8 inch") as turn:
        found = advice.chosen(turn)
    assert found is not None
    assert found.id == "venom-vx-8-8-sl"


@one_database
async def test_a_question_about_those_shown_chooses_none(sari: Asking) -> None:
    sari = replace(sari, shown=("venom-vx-8-8-sl", "jbl-basspro-sl2"))
    async with sari.turn("yang venom garansinya berapa lama") as turn:
        assert advice.chosen(turn) is None


@one_database
async def test_parts_behind_buttons_that_order_them_can_be_described_too(sari: Asking) -> None:
    async with sari.turn("yg jbl aja") as turn:
        turn.state.shown = [(f"order:{each}", each) for each in ("venom-vx-8-8-sl", "jbl-basspro-sl2")]
        found = advice.chosen(turn)
    assert found is not None
    assert found.id == "jbl-basspro-sl2"


@one_database
async def test_a_brand_means_the_kind_that_was_chosen(sari: Asking) -> None:
    async with sari.turn("pioneer ada?") as turn:
        turn.state.begin("booking")
        turn.state.put("basket", [["jbl-stage3-607cf", 1]])
        said = await advice.answer(turn, "stock")
    assert said is not None
    assert {turn.catalogue.parts[option.id].category for option in said.options} == {"speaker"}


@one_database
async def test_what_was_refused_before_stays_out_until_it_is_named_again(sari: Asking) -> None:
    for text, brand_is_shown in (("speaker component ada?", False), ("speaker jbl ada?", True)):
        async with sari.turn(text) as turn:
            turn.state.begin("booking")
            turn.state.put("not", {"attributes.brand": ["JBL"]})
            said = await advice.answer(turn, "stock")
        assert said is not None
        brands = {turn.catalogue.parts[option.id].brand for option in said.options}
        assert ("JBL" in brands) == brand_is_shown


# --- discount, warranty ------------------------------------------------------------------------


@one_database
async def test_haggling_meets_a_fixed_price_what_is_on_sale_and_a_person(sari: Asking) -> None:
    said, options = await sari.ask("discount", categories=("speaker",), car=AVANZA)
    assert said == "Harga kami sudah pas ya Kak, tapi yang ini lagi diskon 👇"
    assert options[-1] == "human"
    assert {"jbl-stage3-627f", "venom-virus-v6-2"} <= set(options)


@one_database
async def test_where_nothing_is_on_sale_that_is_said(sari: Asking) -> None:
    said, options = await sari.ask("discount", categories=("kabel",))
    assert "belum ada diskon" in said
    assert options == ["human"]


@one_database
async def test_the_warranty_is_told_before_anything_is_bought(sari: Asking) -> None:
    assert (await sari.ask("warranty", parts=("focal-isu-165", "frame-1din-laci")))[0].splitlines() == [
        "Garansinya:",
        '• Focal ISU 165 Component 6,5": 24 bulan',
        "• Frame 1DIN dengan Laci: tanpa garansi",
        "Dihitung sejak pengerjaan selesai.",
    ]
    assert (await sari.ask("warranty", categories=("subwoofer",)))[0].startswith("Garansi Subwoofer 6 sampai 24 bulan")
    assert (await sari.ask("warranty", "garansi berapa lama ya"))[0].startswith("Garansi barang 3 sampai 24 bulan")


# --- work --------------------------------------------------------------------------------------


@one_database
@pytest.mark.parametrize(
    ("wished", "said"),
    [
        ({"parts": ("jbl-stage3-607cf",)}, "Pengerjaannya sekitar 2 jam, Kak."),
        ({"parts": ("jbl-stage3-627f", "venom-v9-plus")}, "Pengerjaannya sekitar 2 jam 30 menit, Kak."),
        ({"services": ("servis-power-amplifier",)}, "Pengerjaannya sekitar 3 jam, Kak."),
        ({"categories": ("speaker",)}, "Pengerjaannya 1 jam sampai 4 jam, tergantung barangnya."),
        ({"categories": ("headunit",)}, "Pengerjaannya sekitar 1 jam 30 menit, Kak."),
        ({"parts": ("frame-9-brio-mobilio",)}, "Lama pengerjaannya perlu dicek dulu, Kak. Admin kami bisa bantu."),
    ],
)
async def test_durations_are_told(sari: Asking, wished: dict[str, Any], said: str) -> None:
    assert (await sari.ask("duration", **wished))[0] == said


@one_database
async def test_own_parts_cost_the_installation_alone(sari: Asking) -> None:
    said, options = await sari.ask("own_parts", "saya bawa speaker sendiri, pasang aja berapa?")
    assert options == ["pasang-speaker", "pasang-speaker-component", "pasang-speaker-3way"]
    assert "bawa sendiri" in said


@one_database
async def test_a_repair_is_a_service(sari: Asking) -> None:
    _, options = await sari.ask("repair", "speakernya mati sebelah bisa diperbaiki?")
    assert options == ["cek-audio"]
    _, options = await sari.ask("repair", categories=("headunit",))
    assert options == ["servis-head-unit", "cek-audio"]


# --- terms -------------------------------------------------------------------------------------


@one_database
@pytest.mark.parametrize(
    ("text", "held"),
    [
        ("bisa dp dulu berapa?", ["DP 30/40/50%"]),
        ("bisa cicil?", ["Cicilan dan paylater belum ada"]),
        ("aman ga? takut penipuan", ["Bengkel Suara Jaya", "Midtrans", "invoice", "Jl. Raya Fatmawati"]),
        ("bisa pake kartu kredit?", ["QRIS", "e-wallet"]),
        ("bayarnya gimana?", ["DP 30/40/50%", "QRIS"]),
    ],
)
async def test_payment_terms_are_true_and_short(sari: Asking, text: str, held: list[str]) -> None:
    said, _ = await sari.ask("payment_terms", text)
    assert all(each in said for each in held)
    assert len(said) < 320


@one_database
async def test_delivery_is_what_the_owner_says(sari: Asking) -> None:
    assert (await sari.ask("delivery", "bisa dikirim?"))[0] == (
        "Kami belum kirim barang, Kak. Bisa diambil di Jl. Raya Fatmawati No. 21, Jakarta Selatan."
    )
    ours = replace(sari, shop=sari.shop.model_copy(update={"delivery": "Bisa lewat JNE, ongkir sesuai alamat."}))
    assert (await ours.ask("delivery", "bisa dikirim?"))[0] == "Bisa lewat JNE, ongkir sesuai alamat."


@one_database
async def test_another_trade_hears_kindly_what_we_do(sari: Asking) -> None:
    said, _ = await sari.ask("not_ours", "lampu led ada?")
    assert "audio mobil" in said
    assert "Head unit" in said


# --- hours -------------------------------------------------------------------------------------


@one_database
async def test_christmas_is_answered_by_the_calendar(sari: Asking) -> None:
    said, _ = await sari.ask("hours", "natal buka ga?")
    assert said == "Jumat, 25 Desember 2026, Hari Raya Natal: tutup"
    open_then = replace(sari, shop=sari.shop.model_copy(update={"open_on": frozenset({date(2026, 12, 25)})}))
    assert (await open_then.ask("hours", "natal buka ga?"))[0].endswith("buka 09:00–17:00")


@one_database
async def test_lebaran_is_not_answered_by_the_plain_week(sari: Asking) -> None:
    said, _ = await sari.ask("hours", "lebaran buka ga kak")
    assert said.splitlines()[:2] == [
        "Rabu, 10 Maret 2027, Hari Raya Idul Fitri (perkiraan): tutup",
        "Kamis, 11 Maret 2027, Hari kedua dari Hari Raya Idul Fitri (perkiraan): tutup",
    ]
    assert "cek lagi mendekati harinya" in said


async def test_ramadan_is_answered_from_closures(sari: Asking) -> None:
    async with sari.database.write() as session:
        session.add(Closure(day=date(2027, 2, 17), reason="Libur awal puasa"))
    said, _ = await sari.ask("hours", "pas puasa buka jam berapa?")
    assert said.startswith("Ramadan sekitar Sen, 8 Feb sampai Sel, 9 Mar. Jam khusus Ramadan belum ada")
    assert "Senin–Sabtu: 09:00–17:00" in said
    assert "Rabu, 17 Februari 2027: tutup (Libur awal puasa)" in said
    assert "Hari Suci Nyepi" in said


@one_database
async def test_public_holidays_are_listed(sari: Asking) -> None:
    said, _ = await sari.ask("hours", "tanggal merah buka ga?")
    assert said.splitlines()[0] == "Jumat, 25 Desember 2026, Hari Raya Natal: tutup"
    assert said.splitlines()[1].startswith("Jumat, 1 Januari 2027, Tahun Baru Masehi")


@one_database
async def test_an_ordinary_day_has_its_hours(sari: Asking) -> None:
    assert (await sari.ask("hours", "besok buka?"))[0] == "Selasa, 24 November 2026: buka 09:00–17:00"
    assert "tutup" in (await sari.ask("hours", "minggu buka?"))[0]


def test_the_clock_of_these_tests(now: datetime) -> None:
    assert now == datetime(2026, 11, 23, 1, 0, tzinfo=UTC)


# --- one answer to several questions -----------------------------------------------------------


@one_database
async def test_of_several_topics_about_goods_one_is_answered(sari: Asking) -> None:
    async with sari.turn("servis head unit berapa") as turn:
        said = await advice.answer_all(turn, ["price", "repair"], Wish(services=("servis-head-unit",)))
    assert said is not None
    assert sari.read(said) == "Bisa kami cek dan perbaiki, Kak 👇"


@one_database
@pytest.mark.parametrize(("budget", "held"), [(6_000_000, "Total terpasang semuanya"), (1_000_000, "paling hemat")])
async def test_a_budget_for_two_categories_holds_both(sari: Asking, budget: int, held: str) -> None:
    wanted = Attributes(price_max=budget)
    said, options = await sari.ask("recommend", categories=("headunit", "subwoofer"), attributes=wanted, car=AVANZA)
    assert len(options) == 2
    assert held in said


@one_database
async def test_a_brand_alone_means_the_main_goods(sari: Asking) -> None:
    said, options = await sari.ask("stock", attributes=Attributes(brand="Pioneer"))
    assert "Pioneer" in said
    assert "pioneer-cd-sb15" not in options
    _, options = await sari.ask("stock", attributes=Attributes(brand="Mohawk", type=PartType.SPEAKER_CABLE))
    assert options == ["mohawk-msw-16"]


@one_database
async def test_a_name_that_means_two_parts_takes_as_long_as_either(sari: Asking) -> None:
    said, _ = await sari.ask("duration", parts=("venom-vpr-5-9", "audison-bit-ten"))
    assert said == "Pengerjaannya sekitar 2 jam 30 menit, Kak."
    said, _ = await sari.ask("duration", parts=("jbl-stage3-627f", "jbl-stage3-607cf", "venom-v9-plus"))
    assert said == "Pengerjaannya 2 jam 30 menit sampai 3 jam 30 menit, tergantung barangnya."


@one_database
async def test_what_is_all_gone_is_called_so(sari: Asking) -> None:
    gone = ("hertz-hcp-4d", "focal-sub-10")
    said, options = await sari.ask("stock", parts=gone)
    assert said == "Stok barang lagi habis semua, Kak."
    assert set(options) == set(gone)


@one_database
async def test_cash_is_for_services_alone(sari: Asking) -> None:
    said, _ = await sari.ask("payment_terms", "bayar di tempat bisa?")
    assert said == "Tunai di tempat bisa untuk jasa saja, Kak. Kalau ada barangnya, bayar dulu lewat link, boleh DP."


@one_database
async def test_the_ring_for_an_oval_is_found_by_the_oval(sari: Asking) -> None:
    wanted = Attributes(type=PartType.SPEAKER_RING, size="6x9")
    _, options = await sari.ask("stock", categories=("accessory",), parts=("ring-speaker-525-4",), attributes=wanted)
    assert options == ["ring-speaker-6x9-65"]
