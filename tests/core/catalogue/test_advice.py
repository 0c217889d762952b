"""Advice from the catalogue's facts: which parts match, which are recommended and why, how two differ, what work costs."""

import time
from typing import Any

import pytest
from demo_catalogue import DEMO

from core.catalogue import advice, facts, fit
from core.catalogue.advice import Excluded, Fact, Reason, Recommendation, matching, ranked, recommend
from core.catalogue.attributes import Attributes, PartType, Rank, inches
from core.catalogue.fit import FitAnswer
from core.catalogue.snapshot import Catalogue
from core.db.tables import Part, Service

AVANZA = ("Toyota", "Avanza", 2018)
XENIA_9 = ("Daihatsu", "Xenia", 2023)
STOCK = {part.id: part.on_hand for part in DEMO.parts.values()}


def part(id_: str, **values: Any) -> Part:
    plain: dict[str, Any] = {
        "name": id_,
        "category": "speaker",
        "brand": "Merdu",
        "price": 500_000,
        "discount": 0,
        "warranty_months": 12,
        "compatible_vehicles": [],
        "aliases": [],
        "is_available": True,
        "is_pre_order_only": False,
    }
    return Part(id=id_, **plain | values)


def service(id_: str, **values: Any) -> Service:
    plain: dict[str, Any] = {
        "name": id_,
        "category": "installation",
        "price": 150_000,
        "discount": 0,
        "minutes": 60,
        "installs": ["speaker"],
        "installs_types": [],
        "repairs": [],
        "aliases": [],
        "is_available": True,
    }
    return Service(id=id_, **plain | values)


def shop(*parts: Part, services: tuple[Service, ...] = ()) -> Catalogue:
    return Catalogue(0, {each.id: each for each in parts}, {each.id: each for each in services}, {}, {})


def ids(found: advice.Matches) -> list[str]:
    return [each.id for each in found.found]


def recommended(catalogue: Catalogue, budget: int | None = None, **wanted: Any) -> list[Recommendation]:
    found = matching(catalogue, attributes=Attributes(price_max=budget, **wanted))
    return recommend(catalogue, found, dict.fromkeys(catalogue.parts, 1), budget=budget)


# --- attributes --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("typed", "stored"),
    [
        ("6.5", "6.5"),
        ('6,5"', "6.5"),
        ("6.50 inch", "6.5"),
        ("12 inci", "12"),
        ("6 x 9", "6x9"),
        ("6×9 inches", "6x9"),
        ("besar", None),
        ("0", None),
        ("4 AWG", None),
        ("6x9x2", None),
    ],
)
def test_a_size_is_stored_in_one_spelling(typed: str, stored: str | None) -> None:
    assert inches(typed) == stored


def test_every_demo_part_says_what_customers_ask_of_it() -> None:
    for each in DEMO.parts.values():
        assert each.type in set(PartType), each.id
        if each.category in ("speaker", "subwoofer"):
            assert each.size, each.id
            assert each.watts, each.id
        if each.category == "amplifier":
            assert each.channels, each.id
            assert each.watts, each.id


def test_demo_speakers_have_the_size_of_their_mount() -> None:
    for each in DEMO.parts.values():
        if each.category == "speaker":
            assert each.mount == f"speaker-{each.size}"


# --- matching ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("categories", "wanted", "found"),
    [
        (["amplifier"], {"channels": 4, "price_max": 1_600_000}, {"skeleton-skt-4-80", "venom-diablo-vd-4-100"}),
        (["amplifier"], {"type": PartType.MONOBLOCK, "watts": 600}, {"venom-virus-v1500-1d"}),
        ([], {"brand": "venom", "size": "8"}, {"venom-vx-8-8-sl"}),
        ([], {"type": PartType.DASHCAM}, {"nakamichi-nd28"}),
        ([], {"type": PartType.REAR_CAMERA}, {"venom-vrc-360"}),
        (["headunit"], {"type": PartType.SINGLE_DIN}, {"pioneer-deh-s5250bt", "kenwood-kmm-bt356", "sony-dsx-a410bt"}),
        (["speaker"], {"brand": "Pioneer", "size": "4"}, {"pioneer-ts-g1020f"}),
        (["speaker"], {"type": PartType.COMPONENT, "price_min": 8_000_000}, {"alpine-r2-s653", "focal-ps-165-f"}),
        (["subwoofer"], {"type": PartType.PASSIVE, "brand": "JBL"}, {"jbl-stage-1220b"}),
    ],
    ids=["power 4 channel", "watts", "venom 8 inch", "dashcam", "kamera", "single din", "4 inch", "3-way is component", "boxed is passive"],
)  # fmt: skip
def test_parts_are_found_by_their_attributes(categories: list[str], wanted: dict[str, Any], found: set[str]) -> None:
    matches = matching(DEMO, categories=categories, attributes=Attributes(**wanted))
    assert set(ids(matches)) == found
    assert matches.given_up == ()


@pytest.mark.parametrize(("said", "meant"), [("6", "6.5"), ("5", "5.25"), ("6.5", "6.5"), ("6x9", "6x9"), ("4", "4")])
def test_a_round_size_means_the_nearest_that_is_sold(said: str, meant: str) -> None:
    found = matching(DEMO, categories=["speaker"], attributes=Attributes(size=said))
    assert {each.size for each in found.found} == {meant}


def test_a_size_is_known_from_the_opening() -> None:
    catalogue = shop(part("a", mount="speaker-6.5"), part("b", mount="speaker-4"), part("c", mount="universal"))
    assert ids(matching(catalogue, attributes=Attributes(size="6.5"))) == ["a"]


def test_only_what_fits_the_car_is_offered() -> None:
    found = matching(DEMO, categories=["speaker"], attributes=Attributes(brand="JBL"), car=AVANZA)
    assert "jbl-stage3-9637f" not in ids(found)
    assert {found.fits[each.id] for each in found.found} == {FitAnswer.FITS}


def test_a_car_nobody_knows_gets_what_must_be_checked() -> None:
    found = matching(DEMO, categories=["speaker"], attributes=Attributes(brand="JBL"), car=("Ferrari", "Roma", 2022))
    assert {found.fits[each.id] for each in found.found} == {FitAnswer.UNKNOWN}


@pytest.mark.parametrize(
    "excluded",
    [
        Excluded(parts={"jbl-stage3-607cf"}),
        Excluded(brands={"jbl"}),
        Excluded(types={"component"}),
        Excluded(sizes={"6.5"}),
        Excluded(categories={"speaker"}),
    ],
    ids=["part", "brand", "type", "size", "category"],
)
def test_what_is_not_wanted_is_not_offered(excluded: Excluded) -> None:
    assert "jbl-stage3-607cf" in ids(matching(DEMO))
    assert "jbl-stage3-607cf" not in ids(matching(DEMO, excluded=excluded))


@pytest.mark.parametrize(
    ("categories", "wanted", "given_up"),
    [
        (["amplifier"], {"brand": "Skeleton", "channels": 4, "watts": 5000}, ("watts",)),
        (["amplifier", "kabel"], {"brand": "Venom", "channels": 4, "price_max": 500_000}, ("channels",)),
        (["amplifier", "kabel"], {"brand": "Focal", "channels": 2}, ("brand",)),
        (["speaker"], {"price_max": 100_000}, ("price_max",)),
        (["speaker"], {"brand": "Pioneer", "type": PartType.TWEETER, "watts": 900}, ("watts", "type")),
    ],
)
def test_where_nothing_has_all_attributes_as_little_as_possible_is_given_up(
    categories: list[str], wanted: dict[str, Any], given_up: tuple[str, ...]
) -> None:
    found = matching(DEMO, categories=categories, attributes=Attributes(**wanted))
    assert found.given_up == given_up
    assert found.found


def test_a_brand_that_is_not_sold_in_a_category_is_given_up_last() -> None:
    found = matching(DEMO, categories=["speaker"], attributes=Attributes(brand="Nakamichi"))
    assert found.given_up == ("brand",)
    assert found.found


def test_what_can_be_bought_now_comes_first() -> None:
    found = matching(DEMO, categories=["speaker"], attributes=Attributes(type=PartType.COAXIAL))
    order = [STOCK[each.facts.id] > 0 for each in ranked(found, STOCK)]
    assert order == sorted(order, reverse=True)


@pytest.mark.parametrize(
    ("order", "first"),
    [(Rank.CHEAPEST, "avix-ax-602cx"), (Rank.BEST, "alpine-r2-s653"), (Rank.DEAREST, "focal-ps-165-f")],
)
def test_cheapest_and_best_come_first_if_asked(order: Rank, first: str) -> None:
    """The best by list price: a discount makes nothing worse."""
    found = matching(DEMO, categories=["speaker"], car=AVANZA)
    assert ranked(found, STOCK, order)[0].facts.id == first


def test_what_fits_comes_before_what_needs_an_adapter() -> None:
    found = matching(DEMO, categories=["headunit"], car=XENIA_9)
    answers = [each.fit for each in ranked(found, STOCK) if STOCK[each.facts.id]]
    assert answers == sorted(answers, key=[FitAnswer.FITS, FitAnswer.NEEDS_ADAPTER].index)
    assert set(answers) == {FitAnswer.FITS, FitAnswer.NEEDS_ADAPTER}


# --- recommend ---------------------------------------------------------------------------------


def test_a_budget_holds_the_part_and_its_installation() -> None:
    found = matching(DEMO, categories=["speaker"], attributes=Attributes(price_max=1_500_000), car=AVANZA)
    picks = recommend(DEMO, found, STOCK, budget=1_500_000, car=AVANZA)
    assert 2 <= len(picks) <= 3
    assert all(pick.installed <= 1_500_000 for pick in picks)
    assert "jbl-stage3-607cf" not in [pick.part.id for pick in picks]  # Rp1.299.000, and Rp300.000 for the work


def test_a_budget_for_the_part_alone_is_used_when_it_pays_no_work() -> None:
    found = matching(DEMO, categories=["speaker"], attributes=Attributes(price_max=350_000), car=AVANZA)
    picks = recommend(DEMO, found, STOCK, budget=350_000, car=AVANZA)
    assert picks
    assert all(pick.price <= 350_000 < pick.installed for pick in picks)


def test_an_adapter_counts_against_the_budget() -> None:
    picks = recommend(
        DEMO,
        matching(DEMO, categories=["headunit"], attributes=Attributes(price_max=2_600_000), car=AVANZA),
        STOCK,
        budget=2_600_000,
        car=AVANZA,
    )
    assert all(pick.price <= 2_600_000 for pick in picks)
    assert "venom-v9-plus" not in [pick.part.id for pick in picks]  # Rp2.599.000, and a frame


def test_nothing_sold_out_or_to_order_is_recommended() -> None:
    catalogue = shop(part("gone"), part("order", is_pre_order_only=True), part("here"))
    found = matching(catalogue)
    picks = recommend(catalogue, found, {"gone": 0, "order": 3, "here": 1})
    assert [pick.part.id for pick in picks] == ["here"]


def test_reasons_are_facts_of_the_catalogue() -> None:
    catalogue = shop(
        part("cheap", category="subwoofer", price=300_000, watts=30, warranty_months=6),
        part("strong", category="subwoofer", price=500_000, watts=90, warranty_months=12, size="12"),
        part("noble", category="subwoofer", price=900_000, watts=60, warranty_months=24, size="10", discount=10),
    )
    reasons = {pick.part.id: set(pick.reasons) for pick in recommended(catalogue, budget=1_000_000)}
    assert reasons == {
        "cheap": {Reason.CHEAPEST},
        "strong": {Reason.MOST_WATTS, Reason.BIGGEST_SIZE},
        "noble": {Reason.HIGHEST_CLASS, Reason.LONGEST_WARRANTY, Reason.ON_SALE},
    }


def test_a_speaker_s_size_is_no_reason() -> None:
    """It must be the car's."""
    catalogue = shop(part("a", size="4"), part("b", size="6.5", price=600_000))
    assert all(Reason.BIGGEST_SIZE not in pick.reasons for pick in recommended(catalogue))


def test_what_all_have_is_no_reason() -> None:
    catalogue = shop(part("a", watts=50), part("b", watts=50, price=600_000))
    told = {reason for pick in recommended(catalogue, budget=1_000_000) for reason in pick.reasons}
    assert told == {Reason.CHEAPEST, Reason.HIGHEST_CLASS}


def test_without_a_budget_cheapest_middle_and_best_are_recommended() -> None:
    catalogue = shop(*(part(f"p{n}", price=n * 100_000) for n in range(1, 10)))
    picks = recommended(catalogue)
    assert [pick.part.id for pick in picks] == ["p1", "p5", "p9"]
    assert [pick.reasons[0] for pick in picks] == [Reason.CHEAPEST, Reason.MIDDLE_PRICE, Reason.HIGHEST_CLASS]


def test_two_parts_are_both_recommended() -> None:
    catalogue = shop(part("a"), part("b", price=400_000))
    assert {pick.part.id for pick in recommended(catalogue)} == {"a", "b"}


def test_nothing_is_recommended_from_nothing() -> None:
    assert recommended(shop()) == []


@pytest.mark.parametrize("budget", [2_000_000, 3_000_000, 5_000_000, 12_000_000])
def test_a_budget_for_several_holds_all_of_them_installed(budget: int) -> None:
    rows = [
        matching(DEMO, categories=[each], attributes=Attributes(price_max=budget), car=AVANZA)
        for each in ("headunit", "subwoofer")
    ]
    picks = advice.together(DEMO, rows, STOCK, budget=budget, car=AVANZA)
    assert [pick.facts.category for pick in picks] == ["headunit", "subwoofer"]
    assert sum(pick.installed for pick in picks) <= budget or budget == 2_000_000


def test_more_money_buys_more_together() -> None:
    rows = [matching(DEMO, categories=[each], car=AVANZA) for each in ("headunit", "subwoofer")]
    costs = [
        sum(pick.installed for pick in advice.together(DEMO, rows, STOCK, budget=budget, car=AVANZA))
        for budget in (1_000_000, 3_000_000, 6_000_000, 20_000_000)
    ]
    assert costs == sorted(costs)
    assert costs[0] > 1_000_000  # the least it costs


def test_no_adapter_is_a_reason_where_others_need_one() -> None:
    found = matching(DEMO, categories=["headunit"], attributes=Attributes(price_max=4_000_000), car=AVANZA)
    picks = recommend(DEMO, found, STOCK, budget=4_000_000, car=AVANZA)
    for pick in picks:
        assert (Reason.FITS_WITHOUT_ADAPTER in pick.reasons) == (pick.fit is FitAnswer.FITS)


# --- compare -----------------------------------------------------------------------------------


def test_a_comparison_tells_only_what_differs() -> None:
    first = part("a", watts=50, size="6.5", type="coaxial")
    second = part("b", watts=80, size="6.5", type="component", price=700_000, warranty_months=24)
    found = advice.compare(shop(first, second), first, second, {"a": 3, "b": 3})
    assert {each.fact: (each.first, each.second) for each in found.differences} == {
        Fact.PRICE: (500_000, 700_000),
        Fact.TYPE: ("coaxial", "component"),
        Fact.WATTS: (50, 80),
        Fact.WARRANTY: (12, 24),
    }
    assert found.cheaper is first


def test_what_one_part_does_not_say_is_no_difference() -> None:
    first, second = part("a", watts=50), part("b")
    found = advice.compare(shop(first, second), first, second, {"a": 1, "b": 1})
    assert found.differences == ()
    assert found.cheaper is None


def test_fit_is_compared_for_a_car() -> None:
    oval, round_ = DEMO.parts["jbl-stage3-9637f"], DEMO.parts["jbl-stage3-607cf"]
    found = advice.compare(DEMO, oval, round_, STOCK, car=AVANZA)
    fits = next(each for each in found.differences if each.fact is Fact.FIT)
    assert (fits.first, fits.second) == (FitAnswer.DOES_NOT_FIT, FitAnswer.FITS)


def test_two_brands_are_compared_by_parts_of_one_kind_and_class() -> None:
    one, other = (matching(DEMO, attributes=Attributes(brand=brand)).of(STOCK) for brand in ("Skeleton", "Avix"))
    pair = advice.nearest_in_price(one, other)
    assert pair is not None
    assert pair[0].category == pair[1].category == "headunit"


# --- one of those shown ------------------------------------------------------------------------

SHOWN = [
    DEMO.parts[name] for name in ("venom-vx-8-8-sl", "jbl-basspro-sl2", "venom-pandora-vp-10", "pioneer-ts-a300d4")
]


@pytest.mark.parametrize(
    ("wanted", "chosen"),
    [
        ({"brand": "Venom", "size": "8"}, "venom-vx-8-8-sl"),
        ({"brand": "pioneer"}, "pioneer-ts-a300d4"),
        ({"order": Rank.CHEAPEST}, "venom-pandora-vp-10"),
        ({"order": Rank.BEST}, "jbl-basspro-sl2"),
        ({"brand": "Venom", "order": Rank.DEAREST}, "venom-vx-8-8-sl"),
        ({"price_max": 1_000_000}, "venom-pandora-vp-10"),
        ({"size": "12"}, "pioneer-ts-a300d4"),
        ({"watts": 400}, "pioneer-ts-a300d4"),
        ({"brand": "Venom"}, None),
        ({"brand": "Kenwood"}, None),
        ({}, None),
    ],
)
def test_the_one_that_fits_a_description_is_chosen(wanted: dict[str, Any], chosen: str | None) -> None:
    found = advice.chosen_among(SHOWN, Attributes(**wanted))
    assert (found.id if found else None) == chosen


def test_of_two_equally_cheap_none_is_chosen() -> None:
    assert advice.chosen_among([part("a"), part("b")], Attributes(order=Rank.CHEAPEST)) is None


# --- prices and work ---------------------------------------------------------------------------


def test_a_price_range_is_of_what_fits() -> None:
    found = matching(DEMO, categories=["speaker"], car=AVANZA)
    assert advice.price_range(found) == (299_000, 8_499_000)
    assert advice.price_range(matching(shop())) is None


@pytest.mark.parametrize(
    ("id_", "work"),
    [
        ("jbl-stage3-627f", "pasang-speaker"),
        ("jbl-stage3-607cf", "pasang-speaker-component"),
        ("alpine-r2-s653", "pasang-speaker-3way"),
        ("venom-vx-8-8-sl", "pasang-subwoofer-kolong"),
        ("pioneer-ts-a300d4", "pasang-subwoofer-box"),
        ("venom-v9-plus", "pasang-head-unit"),
        ("venom-vrc-360", "pasang-kamera-mundur"),
        ("skeleton-skt-4-80", "pasang-power-amplifier"),
        ("frame-9-brio-mobilio", None),
    ],
)
def test_a_part_has_the_installation_of_its_type(id_: str, work: str | None) -> None:
    found = advice.installation(DEMO, DEMO.parts[id_])
    assert (found.id if found else None) == work


def test_names_decide_for_a_part_of_no_type() -> None:
    split = service("split", name="Pasang speaker split", installs_types=["component"])
    plain = service("plain", name="Pasang speaker", installs_types=["coaxial"])
    catalogue = shop(part("a"), part("b", name="Venom split"), services=(split, plain))
    assert advice.installation(catalogue, catalogue.parts["a"]) is plain
    assert advice.installation(catalogue, catalogue.parts["b"]) is split


def test_a_service_for_every_type_installs_what_none_names() -> None:
    special = service("special", name="Pasang component", price=9, installs_types=["component"])
    general = service("general", name="Pasang speaker")
    catalogue = shop(part("a", type="coaxial"), part("b", type="component"), services=(special, general))
    assert advice.installation(catalogue, catalogue.parts["a"]) is general
    assert advice.installation(catalogue, catalogue.parts["b"]) is special


def test_installations_of_a_category_are_what_own_parts_cost() -> None:
    assert [each.id for each in advice.installations(DEMO, "speaker")] == [
        "pasang-speaker",
        "pasang-speaker-component",
        "pasang-speaker-3way",
    ]


@pytest.mark.parametrize(
    ("category", "services"),
    [
        ("headunit", ["servis-head-unit", "cek-audio"]),
        ("speaker", ["cek-audio"]),
        ("amplifier", ["servis-power-amplifier", "cek-audio"]),
        ("subwoofer", ["servis-subwoofer", "cek-audio"]),
    ],
)
def test_a_repair_is_a_service_never_a_part(category: str, services: list[str]) -> None:
    assert [each.id for each in advice.repairs(DEMO, [category])] == services


def test_without_a_category_or_its_facts_all_repairs_are_named() -> None:
    assert len(advice.repairs(DEMO)) == 4
    mends = service("mends", category="repair", installs=[])
    assert advice.repairs(shop(services=(mends, service("pasang"))), ["speaker"]) == [mends]


def test_a_job_lasts_as_long_as_its_services() -> None:
    parts = [DEMO.parts["jbl-stage3-607cf"], DEMO.parts["venom-v9-plus"]]
    assert advice.work_minutes(DEMO, parts) == 120 + 90
    assert advice.work_minutes(DEMO, parts[:1], [DEMO.services["tuning-audio"]]) == 240
    assert advice.work_minutes(DEMO, [DEMO.parts["frame-9-brio-mobilio"]]) is None
    assert advice.work_minutes(DEMO, []) is None


# --- 20,000 parts ------------------------------------------------------------------------------


def test_advice_from_a_large_catalogue_takes_milliseconds() -> None:
    """With 20,000 speakers, after the index is built: as long as a quiet machine counts some ten thousands."""
    sizes, kinds = ("6.5", "6x9", "4"), ("coaxial", "component")
    parts = [
        part(f"x-{n:05}", brand=f"B{n % 40}", price=1_000 + n * 37 % 900_000, size=sizes[n % 3], type=kinds[n % 2], watts=n % 200, mount=f"speaker-{sizes[n % 3]}")
        for n in range(20_000)
    ]  # fmt: skip
    catalogue = Catalogue(0, {each.id: each for each in parts}, DEMO.services, DEMO.cars, {})
    facts.prepare(catalogue)
    fit.prepare(catalogue)
    stock = dict.fromkeys(catalogue.parts, 1)

    def advise() -> None:
        found = matching(
            catalogue,
            categories=["speaker"],
            attributes=Attributes(brand="B7", size="6", price_max=500_000),
            car=AVANZA,
        )
        recommend(catalogue, found, {one: stock[one] for one in advice.shortlist(found)}, budget=500_000, car=AVANZA)

    advise()
    begin = time.thread_time()
    advise()
    assert time.thread_time() - begin < 20 * _millisecond()
    assert len(advice.shortlist(matching(catalogue, categories=["speaker"], car=AVANZA))) <= 160


def _millisecond() -> float:
    """The CPU time of work that takes a millisecond of a quiet machine."""
    times = []
    for _ in range(20):
        begin = time.thread_time()
        _ = {number: str(number) for number in range(8000)}
        times.append(time.thread_time() - begin)
    return min(times)
