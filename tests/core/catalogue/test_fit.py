"""Whether a part fits a car: the shop's rule on small cases, and on real cars of the demo catalogue."""

from collections.abc import Iterable

import pytest
from demo_catalogue import DEMO

from core.catalogue.fit import Fit, FitAnswer, find_car, fit_of, year_span
from core.catalogue.snapshot import Catalogue
from core.db.tables import Car, Part

FITS, NEEDS_ADAPTER, DOES_NOT_FIT, UNKNOWN = FitAnswer


def part(id_: str = "part", **changes: object) -> Part:
    known = {"name": id_, "category": "headunit", "brand": "X", "price": 1_000_000, "discount": 0}
    return Part(
        id=id_,
        **{
            "compatible_vehicles": [],
            "is_available": True,
            "is_pre_order_only": False,
            "adapts_mount": None,
            **known,
            **changes,
        },
    )


def car(*mounts: str, first: int = 2015, last: int | None = 2020) -> Car:
    return Car(id=f"a-{first}", brand="Honda", model="CR-V", year_from=first, year_to=last, mounts=list(mounts))


def catalogue(*parts: Part, cars: Iterable[Car] = ()) -> Catalogue:
    return Catalogue(1, {each.id: each for each in parts}, {}, {each.id: each for each in cars}, {})


def fits_in_2018(one: Part, *others: Part, cars: Iterable[Car] = ()) -> Fit:
    return fit_of(catalogue(one, *others, cars=cars), one, "honda", "cr-v", 2018)


def named(years: str, model: str = "CR-V") -> list[dict[str, str]]:
    return [{"brand": "Honda", "model": model, "year": years}]


@pytest.mark.parametrize(
    ("one", "cars", "answer"),
    [
        pytest.param(part(compatible_vehicles=named("2015-2020")), [], FITS, id="named with its year"),
        pytest.param(part(mount="dash-1din", compatible_vehicles=named("2018")), [car("dash-9")], FITS, id="by name before by mount"),
        pytest.param(part(compatible_vehicles=named("2019-")), [car("dash-9")], DOES_NOT_FIT, id="named, but another year"),
        pytest.param(part(mount="dash-9", compatible_vehicles=named("2019-")), [car("dash-9")], FITS, id="another year named, but the mount is right"),
        pytest.param(part(mount="dash-9", compatible_vehicles=named("2019-")), [], DOES_NOT_FIT, id="another year named, the car not known"),
        pytest.param(part(compatible_vehicles=named("2018", "Brio")), [car("dash-9")], UNKNOWN, id="only another model is named"),
        pytest.param(part(mount="universal"), [], FITS, id="universal, whatever the car"),
        pytest.param(part(mount="universal", compatible_vehicles=named("2019-")), [], FITS, id="universal, though another year is named"),
        pytest.param(part(mount="dash-9"), [], UNKNOWN, id="a car nobody knows"),
        pytest.param(part(mount="dash-9"), [car()], UNKNOWN, id="a car whose openings nobody knows"),
        pytest.param(part(), [car("dash-9")], UNKNOWN, id="a part whose mount nobody knows"),
        pytest.param(part(mount="dash-9"), [car("dash-9", last=2017)], UNKNOWN, id="only an older generation is known"),
        pytest.param(part(mount="dash-9"), [car("speaker-6.5", "dash-9")], FITS, id="the car has that opening"),
        pytest.param(part(mount="dash-9"), [car("dash-2din")], DOES_NOT_FIT, id="the car has another opening"),
    ],
)  # fmt: skip
def test_the_answer_follows_from_names_then_mounts(one: Part, cars: list[Car], answer: FitAnswer) -> None:
    assert fits_in_2018(one, cars=cars).answer == answer


FRAME = {"category": "accessory", "adapts_mount": "dash-9", "adapts_into": "dash-2din", "price": 250_000}


@pytest.mark.parametrize(
    ("adapters", "chosen"),
    [
        pytest.param([part("a", **FRAME)], "a", id="a frame for every car"),
        pytest.param([part("a", **FRAME, compatible_vehicles=named("2018"))], "a", id="a frame for this car"),
        pytest.param([part("a", **FRAME, compatible_vehicles=named("2019-"))], None, id="a frame for another year"),
        pytest.param([part("a", **FRAME, compatible_vehicles=named("2018", "Brio"))], None, id="a frame for another car"),
        pytest.param([part("a", **FRAME | {"adapts_into": "dash-10"})], None, id="a frame for another opening"),
        pytest.param([part("a", **FRAME | {"adapts_mount": "dash-10"})], None, id="a frame for another size"),
        pytest.param([part("a", **FRAME, is_available=False)], None, id="a frame that isn't sold now"),
        pytest.param([part("a", **FRAME), part("b", **FRAME | {"price": 200_000})], "b", id="the cheaper of two"),
        pytest.param([part("a", **FRAME, discount=50), part("b", **FRAME | {"price": 200_000})], "a", id="cheaper by its discount"),
        pytest.param([part("a", **FRAME, compatible_vehicles=named("2018")), part("b", **FRAME | {"price": 9_000})], "a", id="made for this car before universal"),
    ],
)  # fmt: skip
def test_an_adapter_bridges_what_doesnt_fit(adapters: list[Part], chosen: str | None) -> None:
    fit = fits_in_2018(part(mount="dash-9"), *adapters, cars=[car("dash-2din")])
    assert (fit.adapter.id if fit.adapter else None) == chosen
    assert fit.answer == (NEEDS_ADAPTER if chosen else DOES_NOT_FIT)


def test_a_part_of_unknown_mount_takes_no_adapter() -> None:
    plain = part("plain", category="accessory", mount="dash-2din")
    assert fits_in_2018(part(compatible_vehicles=named("2019-")), plain, cars=[car("dash-2din")]).adapter is None


def test_alternatives_are_parts_for_the_same_purpose_that_fit_nearest_in_price_first() -> None:
    others = [
        part("far", mount="dash-2din", price=3_000_000),
        part("near", mount="dash-2din", price=1_100_000),
        part("near-by-its-discount", mount="dash-2din", price=2_000_000, discount=50),
        part("to-order", mount="dash-2din", is_pre_order_only=True),
        part("not-sold", mount="dash-2din", is_available=False),
        part("too-big", mount="dash-10"),
        part("nobody-knows"),
        part("speaker", mount="universal", category="speaker"),
        part("frame", mount="dash-2din", adapts_mount="dash-1din"),
    ]
    fit = fits_in_2018(part(mount="dash-9"), *others, cars=[car("dash-2din")])
    assert [each.id for each in fit.alternatives] == ["near-by-its-discount", "near", "far", "to-order"]


def test_at_most_five_alternatives_are_named() -> None:
    others = [part(f"p{number}", mount="dash-2din") for number in range(9)]
    assert len(fits_in_2018(part(mount="dash-9"), *others, cars=[car("dash-2din")]).alternatives) == 5


@pytest.mark.parametrize(
    ("years", "span"),
    [
        ("2015-2023", (2015, 2023)),
        ("2018", (2018, 2018)),
        ("2018-", (2018, None)),
        ("2023-2015", None),
        ("-2015", None),
        ("20152023", None),
        ("2018 up", None),
        ("", None),
    ],
)
def test_years_read_as_in_the_api(years: str, span: tuple[int, int | None] | None) -> None:
    assert year_span(years) == span


@pytest.mark.parametrize(
    ("brand", "model", "year", "found"),
    [
        ("HONDA", "crv", 2015, "a-2015"),
        ("Honda", "CR V", 2020, "a-2020"),
        ("Honda", "CR-V", 2030, "a-2020"),
        ("Honda", "CR-V", 2014, None),
        ("Toyota", "CR-V", 2018, None),
        ("Honda", "CR", 2018, None),
    ],
    ids=["any case", "the newer where two met", "still built", "before the first", "another brand", "half a name"],
)
def test_a_car_is_found_by_brand_model_and_year(brand: str, model: str, year: int, found: str | None) -> None:
    shop = catalogue(cars=[car(), car(first=2020, last=None)])
    assert (result := find_car(shop, brand, model, year)) is None or result.id == found
    assert (result is None) == (found is None)


@pytest.mark.parametrize(
    ("id_", "brand", "model", "year", "told"),
    [
        ("venom-virus-v1500-1d", "Toyota", "Rush", 2018, FITS),
        ("jbl-stage3-607cf", "Daihatsu", "Ayla", 2016, FITS),
        ("pioneer-dmh-z5350bt", "Daihatsu", "Sigra", 2017, FITS),
        ("venom-v9-plus", "Toyota", "Raize", 2022, FITS),
        ("soket-honda", "Honda", "Brio", 2019, FITS),
        ("venom-v9-plus", "Daihatsu", "Xenia", 2021, "frame-9-avanza-xenia"),
        ("avix-intelligent-pro-9", "Hyundai", "Creta", 2022, "frame-9-creta-stargazer"),
        ("jbl-stage3-607cf", "Wuling", "Air ev", 2023, "ring-speaker-525-65"),
        ("pioneer-deh-s5250bt", "Honda", "CR-V", 2019, "frame-1din-laci"),
        ("jbl-stage3-9637f", "Toyota", "Avanza", 2018, DOES_NOT_FIT),
        ("venom-v9-plus", "Hyundai", "Ioniq 5", 2023, DOES_NOT_FIT),
        ("soket-honda", "Honda", "HR-V", 2023, DOES_NOT_FIT),
        ("venom-v9-plus", "Ferrari", "Roma", 2022, UNKNOWN),
        ("soket-honda", "Toyota", "Avanza", 2018, UNKNOWN),
    ],
)
def test_real_cars_get_the_answer_a_mechanic_would_give(id_: str, brand: str, model: str, year: int, told: str) -> None:
    """An answer, or the adapter it needs."""
    fit = fit_of(DEMO, DEMO.parts[id_], brand, model, year)
    assert (fit.adapter.id if fit.adapter else fit.answer) == told
    assert (fit.answer == NEEDS_ADAPTER) == (fit.adapter is not None)


def test_who_wants_ovals_for_an_avanza_is_shown_round_ones() -> None:
    fit = fit_of(DEMO, DEMO.parts["jbl-stage3-9637f"], "Toyota", "Avanza", 2018)
    assert len(fit.alternatives) == 5
    assert {each.mount for each in fit.alternatives} == {"speaker-6.5"}
