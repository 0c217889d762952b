"""Readers of names, phone numbers, e-mail addresses and number plates."""

import re

import phonenumbers
from email_validator import EmailNotValidError, validate_email
from phonenumbers import PhoneNumber, PhoneNumberMatcher, PhoneNumberType

HOME = "ID"
MAX_NAME_LENGTH = 80
MAX_DIGITS = 3
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
    """A person's name without the words around it; None if it can't be one."""
    words = " ".join(text[:MAX_CHARACTERS].split())
    while (shorter := _AFTER.sub("", _BEFORE.sub("", words))) != words:
        words = shorter
    name = words.strip(" .,!:;-\"'()")
    if not any(sign.isalpha() for sign in name) or len(name) > MAX_NAME_LENGTH or set(name) & set("@?/"):
        return None
    if sum(sign.isdecimal() for sign in name) > MAX_DIGITS:
        return None
    return name.title() if name.islower() else name


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
    r"bapak|bpk|pak|ibu|bu|mas|mbak|mba|bang|kak|kakak|om|tante|mr|mrs|ms|miss)\b[\s.,:!=-]*(?=\S)",
    re.IGNORECASE,
)
_AFTER = re.compile(r"[\s,.!]+(?:ya|yah|kak|min|gan|bang|aja|saja|dong|mas|mbak|pak|please|pls)[\s.!]*$", re.IGNORECASE)
_PLATE = re.compile(r"(?<![A-Z0-9])([A-Z]{1,2})[\s.-]*([0-9]{1,4})[\s.-]*([A-Z]{1,3})(?![A-Z0-9])")


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
