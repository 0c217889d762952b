"""How a person puts an answer into words: by language and habits, with typos; deterministic by its `Random`."""

import re
from collections.abc import Mapping, Sequence
from datetime import date, timedelta
from random import Random  # noqa: TID251 seeded, and the seed is printed

from demo_catalogue import DEMO
from persona import Habit, Wish

FIRST_DAY = date(2026, 11, 23)
DAYS = ("senin", "selasa", "rabu", "kamis", "jumat", "sabtu", "minggu")
MONTHS = ("januari", "februari", "maret", "april", "mei", "juni", "juli", "agustus", "september", "oktober", "november", "desember")  # fmt: skip
ENGLISH = dict(
    zip(("besok", *DAYS), ("tomorrow", "monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"), strict=True)
)  # fmt: skip

PHRASES: Mapping[str, Mapping[str, Sequence[str]]] = {
    "id": {
        "category": ("{category}", "mau lihat {category}", "{category} kak"),
        "part": ("{part}", "{part} aja", "yang {part} kak"),
        "no_part": ("jasa aja, {service}", "ga beli barang kak, cuma {service}"),
        "quantity": ("{count}",),
        "more": ("udah itu aja", "lanjut", "cukup kak"),
        "car": ("{car}", "mobil saya {car}", "{car} kak"),
        "model": ("{model}",),
        "year": ("{year}", "tahun {year}"),
        "fit": ("ya", "boleh", "ya tambahin aja"),
        "service": ("{service}", "{service} kak"),
        "more_services": ("udah", "lanjut", "itu aja"),
        "day": ("{day}", "{day} kak", "hari {day} bisa?"),
        "any_day": ("kapan aja bisa", "bebas kak", "yang kosong aja"),
        "date": ("{date}",),
        "hour": ("jam {hour}", "jam {hour} ya kak", "jam {hour} aja"),
        "any_hour": ("bebas jam berapa aja", "yang kosong aja", "jam berapa aja boleh"),
        "technician": ("{technician} aja", "sama {technician}"),
        "any_technician": ("siapa aja", "bebas siapa aja", "terserah"),
        "name": ("{name}", "atas nama {name}", "nama saya {name}"),
        "phone": ("{phone}",),
        "email": ("{email}",),
        "no_email": ("gak usah email", "lewati", "ga perlu kak"),
        "plate": ("{plate}",),
        "no_plate": ("ga inget platnya", "lewati", "nanti aja"),
        "workshop": ("saya ke bengkel aja", "di bengkel", "saya kesana aja"),
        "onsite": ("di rumah saya aja", "teknisinya aja yg kesini", "di tempat saya"),
        "address": ("{address}",),
        "summary": ("oke bayar", "sip lanjut bayar", "udah bener, bayar skrg"),
        "full": ("lunas aja", "bayar penuh", "full payment kak"),
        "dp": ("dp {pay}%", "dp {pay} persen aja", "dp {pay}"),
        "cash": ("bayar di tempat aja", "tunai kak", "cash aja"),
        "method": ("{by}", "pake {by} aja", "bayar pake {by}"),
        "sure": ("ya", "iya bener", "oke"),
        "again": ("maksudnya {wish}", "saya mau {wish}"),
        "account": ("BCA 1234567890 a.n. {name}",),
    },
    "en": {
        "category": ("{category}", "show me {category}"),
        "part": ("{part}", "the {part} please"),
        "no_part": ("no parts, just {service}",),
        "more": ("that's all", "continue"),
        "car": ("{car}", "it's a {car}"),
        "fit": ("yes", "sure"),
        "service": ("{service}", "install it please"),
        "more_services": ("that's all", "no"),
        "day": ("{day_en}", "{day_en} please"),
        "any_day": ("any day is fine", "whenever you are free"),
        "hour": ("{hour_en}", "at {hour_en}"),
        "any_hour": ("any time", "any time is fine"),
        "technician": ("{technician} please",),
        "any_technician": ("anyone", "anyone is fine"),
        "name": ("{name}", "my name is {name}"),
        "no_email": ("no email", "skip"),
        "no_plate": ("skip", "i don't remember the plate"),
        "workshop": ("at the workshop", "i'll come to you"),
        "onsite": ("at my place",),
        "summary": ("ok, pay now", "looks good, continue"),
        "full": ("pay in full", "full payment"),
        "dp": ("down payment {pay}%",),
        "cash": ("cash", "i'll pay on the spot"),
        "sure": ("yes", "yes please"),
        "again": ("i want {wish}",),
    },
    "jv": {
        "more": ("sampun", "pun niku mawon"),
        "fit": ("nggih",),
        "more_services": ("sampun cekap",),
        "day": ("{day} mawon", "dinten {day}"),
        "hour": ("jam {hour} mawon", "jam {hour} nggih"),
        "any_technician": ("sinten mawon", "siapa mawon"),
        "name": ("jenengku {name}", "{name}"),
        "no_email": ("mboten usah", "lewati mawon"),
        "no_plate": ("mboten kelingan", "lewati"),
        "workshop": ("neng bengkel wae", "teng bengkel mawon"),
        "summary": ("nggih, bayar",),
        "full": ("lunas mawon",),
        "sure": ("nggih", "inggih"),
    },
    "su": {
        "more": ("atos", "sakitu wae"),
        "fit": ("muhun",),
        "more_services": ("atos cekap",),
        "day": ("dinten {day}", "{day} we"),
        "hour": ("tabuh {hour}", "jam {hour} we"),
        "any_technician": ("saha wae", "bebas saha wae"),
        "name": ("nami abdi {name}", "{name}"),
        "no_email": ("teu kedah", "lewat we"),
        "no_plate": ("hilap", "lewati"),
        "workshop": ("di bengkel we", "ka bengkel"),
        "summary": ("muhun, bayar",),
        "full": ("lunas we",),
        "sure": ("muhun", "sumuhun"),
    },
}
"""What is said at a question; where a language has no words of its own, the Indonesian ones."""

ABBREVIATED = {
    "besok": "bsk", "tidak": "gak", "yang": "yg", "sudah": "udh", "udah": "udh", "jam": "jm", "bisa": "bs", "saja": "aja",
    "berapa": "brp", "saya": "sy", "kalau": "klo", "dengan": "dgn", "untuk": "utk", "tahun": "thn", "pasang": "psg",
    "mobil": "mbl", "sekarang": "skrg", "terus": "trs", "senin": "snn", "selasa": "sls", "jumat": "jmt", "bayar": "byr",
    "lanjut": "lnjt", "banget": "bgt", "bengkel": "bngkl", "speaker": "spiker", "dong": "dong", "kamu": "km",
}  # fmt: skip
POLITE = ("Permisi Kak, {}, terima kasih ya", "Oh begitu, kalau begitu {} ya Kak", "Baik Kak, {} ya, mohon dibantu")
CATEGORIES = {"headunit": "head unit", "amplifier": "power amplifier", "accessory": "aksesoris", "kabel": "kabel"}


def date_of(day: str) -> date:
    """The day that a word means on Monday 2026-11-23: "besok", or a weekday that is still to come."""
    if day == "besok":
        return FIRST_DAY + timedelta(days=1)
    ahead = DAYS.index(day.removesuffix(" depan"))
    return FIRST_DAY + timedelta(days=(ahead or 7) + (7 if day.endswith(" depan") and ahead else 0))


class Voice:
    """One person's way to write."""

    def __init__(self, habits: frozenset[Habit], chance: Random) -> None:
        self._habits = habits
        self._chance = chance

    def answer(self, question: str, wish: Wish, *, asked: int) -> str:
        """The answer to a question that is asked for the `asked`th time: plainer each time."""
        phrases = PHRASES[self._language].get(question) or PHRASES["id"][question]
        plain = asked > 1 or bool(self._habits & {Habit.BRIEF, Habit.POLITE})
        if question == "day" and asked > 1:
            phrases = PHRASES["id"]["date"]
        phrase = phrases[0] if plain else self._chance.choice(phrases)
        said = phrase.format_map(_words(wish))
        return said if asked > 1 or question in AS_IT_IS else self.write(said)

    def write(self, text: str) -> str:
        """The same in this person's spelling."""
        if Habit.SHORT in self._habits:
            text = re.sub(r"[a-z]+", lambda word: ABBREVIATED.get(word[0], word[0]), text)
        if Habit.TYPOS in self._habits:
            text = self._mistyped(text)
        if Habit.POLITE in self._habits and len(text.split()) <= 6:
            text = self._chance.choice(POLITE).format(text)
        return text

    @property
    def _language(self) -> str:
        spoken = {Habit.ENGLISH: "en", Habit.JAVANESE: "jv", Habit.SUNDANESE: "su"}
        return next((language for habit, language in spoken.items() if habit in self._habits), "id")

    def _mistyped(self, text: str) -> str:
        """Two neighbouring letters of one longer word are exchanged."""
        words = text.split(" ")
        long = [place for place, word in enumerate(words) if len(word) >= 6 and word.isalpha() and word.islower()]
        if not long:
            return text
        place = self._chance.choice(long)
        word = words[place]
        cut = self._chance.randrange(1, len(word) - 2)
        words[place] = word[:cut] + word[cut + 1] + word[cut] + word[cut + 2 :]
        return " ".join(words)


AS_IT_IS = ("name", "phone", "email", "plate", "address", "account", "quantity", "year", "model")
"""Nobody abbreviates or wraps these."""


def _words(wish: Wish) -> dict[str, object]:
    model, _, year = wish.car.rpartition(" ")
    part = wish.parts[0] if wish.parts else ""
    hour = wish.hour or 10
    service = wish.services[0].replace("-", " ") if wish.services else f"pasang {category_words(wish)}"
    return {
        "car": wish.car.lower(),
        "model": model.lower(),
        "year": year,
        "part": part.replace("-", " "),
        "category": category_words(wish),
        "service": service,
        "day": wish.day,
        "day_en": ENGLISH.get(wish.day.removesuffix(" depan"), wish.day),
        "date": f"{date_of(wish.day).day} {MONTHS[date_of(wish.day).month - 1]}" if wish.day else "",
        "hour": hour,
        "hour_en": f"{hour} am" if hour < 12 else f"{hour - 12 or 12} pm",
        "wish": f"{service if wish.services else f'pasang {part}'.replace('-', ' ')} di {wish.car.lower()}",
        **{name: getattr(wish, name) for name in ("count", "technician", "name", "phone", "email", "plate", "address", "pay", "by")},
    }  # fmt: skip


def category_words(wish: Wish) -> str:
    """The category of the wished part as people call it, by the word itself or by the part's id."""
    part = wish.parts[0] if wish.parts else ""
    category = DEMO.parts[part].category if part in DEMO.parts else part
    return CATEGORIES.get(category, category)
