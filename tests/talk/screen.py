"""What a phone shows, and which question a person reads in it: by the words of its last lines, and by its options."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from bot.sandbox.phones import Bubble

ASKS = r"\?|👇|coba|tulis|ketik|pilih|ketuk|sebut|sertakan|please|type|choose|tap|enter|number"
"""What a line that asks for something has in it."""

QUESTIONS: Sequence[tuple[str, str]] = (
    ("quantity", r"mau berapa \S|how many|angkanya saja"),
    ("which", r"booking yang mana|ini booking kakak|which booking|pilih satu untuk melihat|your bookings"),
    ("which_hour", r"antre untuk jam berapa|wait for what time"),
    ("fit", r"mau ditambahkan|shall i add|dicek teknisi dulu|technician check|cocok dan ada stoknya|these do, and"),
    (
        "sure",
        r"^yakin|, yakin|sudah pas|sudah benar|mau diganti|dibatalkan saja|are you sure|is that right|drop this|change it",
    ),
    ("more", r"ada tambahan lain|tambah part lain|barang tambahannya|add(ing)? (anything|another)"),
    ("more_services", r"ada lagi, kak|anything else"),
    ("service", r"mau dikerjakan apa|like us to do|jasanya apa|nama jasanya"),
    ("category", r"lihat part apa|parts would you like|ketik saja barangnya|part atau jasa"),
    ("part", r"mau yang mana|which one|pilih yang mana|merek dan ukurannya|brand and size"),
    ("year", r"tahun berapa|(what|which) year|angka tahun|digits"),
    ("model", r"tipe apa|which .*model|tipe mobilnya"),
    ("car", r"mobilnya apa|mobil apa|(which|what) car|merek(,| atau) tipe|brand, model and year|brand or (the )?model"),
    ("hour", r"jam berapa|(what|which) time|terdekat masih kosong|nearest free|tulis jamnya|type a time"),
    ("day", r"(tanggal|hari) (apa|berapa)|(which|what) day|tanggal lain|another day|tulis tanggal|a date|kapan"),
    ("technician", r"dikerjakan siapa|who should do|nama teknisi"),
    ("name", r"atas nama siapa|what name|namanya siapa|tulis nama|your name"),
    ("phone", r"nomor (hp|telepon)|(mobile|phone) number"),
    ("email", r"e-?mail"),
    ("plate", r"nomor polisi|plat|number plate"),
    ("address", r"alamat lengkap|full address|tulis alamat"),
    ("place", r"dikerjakan di mana|where should|biaya kunjungan|visiting fee"),
    ("plan", r"penuh atau dp|bayar penuh atau|pay in full|down payment first"),
    ("method", r"bayar lewat apa|like to pay|cara bayar"),
    ("change", r"bagian mana|what would you like to change"),
    ("account", r"nomor rekening|account number|nama bank"),
    ("stars", r"penilaian kakak|1 sampai 5 bintang|1 to 5 stars"),
    ("comment", r"kesan atau saran|any comment"),
)
"""The kinds of question and the words by which a person knows them; within a line the first that matches."""

SETTLED = r"sudah terkonfirmasi|is confirmed|setelah pengerjaan selesai|in cash when the work|sudah masuk antrean|are in line for"
"""The words by which a person knows that there is a booking now, or a place in the waitlist."""

SURE_OPTIONS: Sequence[tuple[str, str]] = (
    ("plan", r"^(bayar penuh|pay in full|lunas)"),
    ("summary", r"^(lanjut bayar|go to payment|ya, booking|ya, antre|yes, book|yes, wait)"),
    ("menu", r"^(booking|book) (sekarang|now)"),
)
"""The kinds of question that the options tell more surely than the words: below a summary stand many other words."""

OPTIONS: Sequence[tuple[str, str]] = (
    ("fit", r"^(ya, tambahkan|yes, add)"),
    ("sure", r"^(ya|yes)\b"),
    ("stars", r"^⭐"),
    ("part", r"Rp ?[\d.]+.*(stok|sisa|in stock|left)"),
    ("day", r"^\w{3}, \d{1,2} \w{3}$"),
    ("hour", r"\b\d\d:\d\d"),
    ("skip", r"^(lewati|skip)$"),
    ("summary", r"^(lanjut|continue)$"),
    ("technician", r"^(siapa saja|anyone)$"),
)
"""The kinds of question by what can be tapped, where the words don't say it."""

_NUMBERED = re.compile(r"^\s*(\d{1,2})[.)]\s+(\S.*)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Option:
    """Something that can be chosen: a button, a list's entry, or a line of a numbered list."""

    title: str
    text: str
    """The title and what is told of it: below it in a list, or in the bubble's text."""
    number: int
    bubble: Bubble | None
    """None: it can only be typed."""


@dataclass(frozen=True)
class Screen:
    """The shop's bubbles since the person's last message."""

    bubbles: Sequence[Bubble]

    @cached_property
    def text(self) -> str:
        return "\n".join(bubble.text for bubble in self.bubbles)

    @cached_property
    def options(self) -> Sequence[Option]:
        """What the newest bubble that has choices lets choose."""
        for bubble in reversed(self.bubbles):
            if found := _options(bubble):
                return found
        return ()

    @cached_property
    def link(self) -> str | None:
        """The address of a page to pay on."""
        for bubble in reversed(self.bubbles):
            urls = [button.url for row in bubble.buttons for button in row if button.url]
            urls += [word for word in bubble.text.split() if word.startswith("http")]
            pay = [url for url in urls if "/snap/" in url]
            if pay:
                return pay[-1]
        return None

    @cached_property
    def is_settled(self) -> bool:
        return re.search(SETTLED, self.text, re.IGNORECASE) is not None

    @cached_property
    def question(self) -> str | None:
        """The kind of the question; None if the shop asks nothing that a person would know."""
        return self._by_options(SURE_OPTIONS) or self._by_words() or self._by_options(OPTIONS)

    def _by_words(self) -> str | None:
        lines = [line.strip().casefold() for line in self.text.splitlines() if line.strip()]
        asking = [line for line in reversed(lines) if re.search(ASKS, line)]
        found = (kind for line in asking for kind, pattern in QUESTIONS if re.search(pattern, line))
        return next(found, None)

    def _by_options(self, kinds: Sequence[tuple[str, str]]) -> str | None:
        return next((kind for kind, pattern in kinds if self.option(pattern)), None)

    def option(self, pattern: str) -> Option | None:
        """The first option with this in its title or below it."""
        for part in ("title", "text"):
            for option in self.options:
                if re.search(pattern, getattr(option, part).strip(), re.IGNORECASE):
                    return option
        return None


def _options(bubble: Bubble) -> list[Option]:
    titles = [(button.title, "") for row in bubble.buttons for button in row if button.kind != "url"]
    titles += [(item.title, item.description or "") for item in bubble.menu.items] if bubble.menu else []
    if titles:
        told = [line.removeprefix("• ") for line in bubble.text.splitlines() if line.startswith("• ")]
        return [
            Option(
                title,
                next((line for line in told if line.startswith(title)), f"{title} {more}".strip()),
                number,
                bubble,
            )
            for number, (title, more) in enumerate(titles, 1)
        ]
    numbered = [(int(number), text) for number, text in _NUMBERED.findall(bubble.text)]
    if [number for number, _ in numbered] != list(range(1, len(numbered) + 1)):
        return []
    return [Option(text, text, number, None) for number, text in numbered]
