"""Readers of names, street addresses, phone numbers, e-mail addresses and number plates."""

import re
import unicodedata

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import PhoneNumber, PhoneNumberMatcher, PhoneNumberType

from conversations.understand.spelling import tokenise

HOME = "ID"
MAX_NAME_LENGTH = 80
MAX_DIGITS = 3
MAX_WORDS = 6
"""Of a name; more are a sentence."""
SHORT = 3
"""Capitals that may be initials: "TJ"."""
MAX_CHARACTERS = 300
"""Characters of a text that are searched for a name or a phone number."""
_AREAS = (
    "A AA AB AD AE AG B BA BB BD BE BG BH BK BL BM BN BP D DA DB DC DD DE DG DH DK DL DM DN DP DR DS DT DW "
    "E EA EB ED F G H K KB KH KT KU L M N P PA PB PD PE PF PG PH PS PT PY R S T W Z"
)
AREAS = frozenset(_AREAS.split())
"""The registration areas on Indonesian plates."""


def read_phone(text: str) -> str | None:
    """The first mobile number in a text, in E.164; an Indonesian one may lack its +62 or 0."""
    mobiles = (PhoneNumberType.MOBILE, PhoneNumberType.FIXED_LINE_OR_MOBILE)
    numbers = (number for number in _numbers(text) if phonenumbers.number_type(number) in mobiles)
    return next((phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164) for number in numbers), None)


def is_landline(text: str) -> bool:
    """Whether a text holds a valid landline number and no mobile one."""
    return read_phone(text) is None and any(
        phonenumbers.number_type(number) == PhoneNumberType.FIXED_LINE for number in _numbers(text)
    )


def read_email(text: str) -> str | None:
    for word in re.split(r"[\s,;<>()]+", text):
        if "@" in word:
            address = word.strip(".!?:'\"").removeprefix("mailto:")
            try:
                return validate_email(address, check_deliverability=False).normalized
            except EmailNotValidError:
                continue
    return None


def read_name(text: str) -> str | None:
    """A person's name without the words around it, signs and what stands in brackets; None if it can't be one."""
    words = " ".join(_plain(_BRACKETS.sub(" ", text[:MAX_CHARACTERS])).split())
    while (shorter := _AFTER.sub("", _BEFORE.sub("", words))) != words:
        words = shorter
    name = words.strip(" .,!:;-\"'()")
    if not any(sign.isalpha() for sign in name) or len(name) > MAX_NAME_LENGTH or set(name) & set("@?/"):
        return None
    if sum(sign.isdecimal() for sign in name) > MAX_DIGITS or len(name.split()) > MAX_WORDS:
        return None
    if any(token.text in _IN_A_SENTENCE for token in tokenise(name)):
        return None
    return name.title() if name.islower() or (name.isupper() and len(name) > SHORT) else name


def says_a_name(text: str) -> bool:
    """ "Nama saya …", "a.n. …": what follows is a name, whatever else it means."""
    return _CALLED.match(text.strip()) is not None


def means_profile(text: str) -> bool:
    """ "Sama kayak nama wa aja", instead of a name."""
    words = {token.text for token in tokenise(text)}
    return bool(words & _PROFILE) and words <= _PROFILE | _SAME


def read_address(text: str) -> str | None:
    """A place that somebody could be sent to; None if it names no street, number or place: "di rumah saya"."""
    tokens = tokenise(text)
    is_place = any(token.number is not None or token.text not in _NO_PLACE for token in tokens if _is_word(token.text))
    return " ".join(text.split()) if is_place else None


def read_plate(text: str) -> str | None:
    """An Indonesian number plate as "B 1234 XYZ"."""
    for found in _PLATE.finditer(text.upper()):
        area, number, letters = found.groups()
        if area in AREAS and not number.startswith("0"):
            return f"{area} {number} {letters}"
    return None


_BEFORE = re.compile(
    r"^(?:halo|hai|hi|oke?|iya|ya|nama(?:\s?(?:saya|aku|gue|gw|ku|nya))?|namaku|atas nama|a\.?\s?n\.?|my name(?:\s?is|'s)?|"
    r"name(?:\s?is)?|saya|aku|i am|i'm|it's|this is|adalah|panggil(?:\s?(?:saja|aja))?|kenalin|dengan|"
    r"bapak|bpk|bp|pak|tn|tuan|ny|nyonya|sdri?|saudari?|ibu|bu|mas|mbak|mba|bang|kak|kakak|om|tante|mr|mrs|ms|miss)\b[\s.,:!=-]*(?=\S)",
    re.IGNORECASE,
)
_BRACKETS = re.compile(r"[(\[{][^)\]}]*[)\]}]?")
_CALLED = re.compile(
    r"(?:nama(?:\s?(?:saya|aku|gue|gw|ku|nya))?|namaku|atas nama|a\.?\s?n\.?|my name|i am|i'm|it's)\b", re.IGNORECASE
)
_AFTER = re.compile(r"[\s,.!]+(?:ya|yah|kak|min|gan|bang|aja|saja|dong|mas|mbak|pak|please|pls)[\s.!]*$", re.IGNORECASE)
_PLATE = re.compile(r"(?<![A-Z0-9])([A-Z]{1,2})[\s.-]*([0-9]{1,4})[\s.-]*([A-Z]{1,3})(?![A-Z0-9])")


_MARKUP = frozenset("*_~`\u200d\ufe0f")
_SIGNS = frozenset({"So", "Sk", "Cn", "Co"})
"""Kinds of characters that are no part of a name: emoji and their modifiers."""
_IN_A_SENTENCE = frozenset(
    [
        "mau",
        "bisa",
        "tidak",
        "apa",
        "berapa",
        "kapan",
        "bagaimana",
        "kenapa",
        "dimana",
        "mana",
        "ganti",
        "ubah",
        "seperti",
        "sama",
        "saja",
        "nanti",
        "belum",
        "sudah",
        "boleh",
        "jangan",
        "tolong",
        "nama",
        "wa",
        "tadi",
        "itu",
        "yang",
        "kok",
        "dulu",
        "lagi",
        "what",
        "how",
        "why",
        "when",
        "where",
        "which",
        "can",
        "could",
        "want",
        "please",
    ]
)
"""Words of a question or a wish, which no name holds."""
_PROFILE = frozenset(["wa", "whatsapp", "telegram", "tele", "profil", "profile", "akun", "account", "kontak"])
_SAME = frozenset(
    [
        "sama",
        "seperti",
        "nama",
        "namanya",
        "sesuai",
        "saja",
        "yang",
        "di",
        "dengan",
        "pakai",
        "ikut",
        "ikutin",
        "itu",
        "ini",
        "ada",
        "saya",
        "kak",
        "ya",
        "dari",
        "tertera",
        "lihat",
        "cek",
        "same",
        "as",
        "my",
        "the",
        "name",
        "in",
        "use",
        "on",
    ]
)
_NO_PLACE = frozenset(
    [
        "rumah",
        "rumahku",
        "kantor",
        "kos",
        "kosan",
        "kost",
        "kontrakan",
        "toko",
        "gudang",
        "tempat",
        "tempatku",
        "lokasi",
        "alamat",
        "daerah",
        "posisi",
        "apartemen",
        "komplek",
        "perumahan",
        "ruko",
        "sini",
        "situ",
        "sana",
        "kesini",
        "kesana",
        "disini",
        "disitu",
        "di",
        "ke",
        "dari",
        "dekat",
        "sekitar",
        "depan",
        "belakang",
        "samping",
        "sebelah",
        "saya",
        "kami",
        "kita",
        "aku",
        "dia",
        "gue",
        "gw",
        "beliau",
        "ortu",
        "orang",
        "tua",
        "mertua",
        "istri",
        "suami",
        "teman",
        "tetangga",
        "nenek",
        "kakek",
        "kakak",
        "kak",
        "adik",
        "saudara",
        "bapak",
        "ibu",
        "pak",
        "bu",
        "yang",
        "tadi",
        "kemarin",
        "biasa",
        "biasanya",
        "sama",
        "seperti",
        "sesuai",
        "itu",
        "ini",
        "saja",
        "nanti",
        "menyusul",
        "sekarang",
        "dulu",
        "ya",
        "dong",
        "deh",
        "kok",
        "lah",
        "sih",
        "jadi",
        "mau",
        "minta",
        "tolong",
        "bisa",
        "datang",
        "ktp",
        "stnk",
        "wa",
        "whatsapp",
        "chat",
        "maps",
        "google",
        "share",
        "shareloc",
        "sharelok",
        "kirim",
        "langganan",
        "lama",
        "dan",
        "atau",
        "untuk",
        "pada",
        "buat",
        "dengan",
        "masing",
        "sendiri",
        "pribadi",
        "tinggal",
        "lho",
        "nih",
        "oke",
        "ok",
        "my",
        "home",
        "house",
        "place",
        "office",
        "here",
        "there",
        "the",
        "at",
        "in",
        "to",
        "parents",
        "wife",
        "husband",
        "friend",
        "same",
        "as",
        "before",
        "usual",
        "please",
        "come",
        "a",
        "is",
        "it",
        "of",
        "apartment",
    ]
)
"""Words that lead nobody to a place: whose it is, and of what kind."""


def _plain(text: str) -> str:
    """Without emoji and markup."""
    return "".join(sign for sign in text if sign not in _MARKUP and unicodedata.category(sign) not in _SIGNS)


def _is_word(text: str) -> bool:
    return any(sign.isalnum() for sign in text)


def _numbers(text: str) -> list[PhoneNumber]:
    """The valid numbers in a text, read as from Indonesia."""
    text = text[:MAX_CHARACTERS]
    found = [match.number for match in PhoneNumberMatcher(text, HOME)]
    if found:
        return found
    digits = "".join(sign for sign in text if sign.isdecimal() or sign == "+")
    try:
        number = phonenumbers.parse(f"+{digits}" if digits.startswith("62") else digits, HOME)
    except phonenumbers.NumberParseException:
        return []
    return [number] if phonenumbers.is_valid_number(number) else []
