"""Elements: names, dates and numbers as X12 writes them."""

import re
import unicodedata
from datetime import date

from carewright.contracts.coverage import Insured
from carewright.contracts.patients import Gender
from carewright.coverage.model.x12.interchange import USUAL, NotX12

DATE = re.compile(r"\d{8}")
AMOUNT = re.compile(r"(-?)(\d{0,15})(?:\.(\d{1,2})0*)?")
PERCENT = re.compile(r"(?:0|1)?(?:\.\d{1,10})?")
GENDERS: dict[Gender, str] = {"female": "F", "male": "M"}
APART = str.maketrans({"Æ": "AE", "Œ": "OE", "Ø": "O", "Đ": "D", "Ð": "D", "Ł": "L", "Þ": "TH", "’": "'"})
LEFT_OUT = re.compile(r"[^A-Z0-9 '.,&()/#-]+")
FAMILY_MAX, GIVEN_MAX, ORGANIZATION_MAX = 60, 35, 60
"""NM103 and NM104."""


def name(text: str, length: int) -> str:
    """A name in X12's basic character set: capitals without accents, and without whatever could be taken for a separator."""
    apart = unicodedata.normalize("NFKD", text.upper().translate(APART))
    plain = "".join(letter for letter in apart if not unicodedata.combining(letter))
    return " ".join(LEFT_OUT.sub(" ", plain).split())[:length].strip()


def person(one: Insured) -> tuple[str, str, str]:
    """NM103 to NM105: family, first given and, as it is, the second. Raises `NotX12` for a name of which nothing can be written."""
    family = name(one.family, FAMILY_MAX)
    if not family:
        raise NotX12("value")
    first, second = (name(each, GIVEN_MAX) for each in (*one.given, "", "")[:2])
    return family, first, second


def day(one: date | None) -> str:
    return f"{one:%Y%m%d}" if one else ""


def read_day(text: str) -> date | None:
    """CCYYMMDD. Raises `NotX12` for what is no day; nothing is none."""
    if not text:
        return None
    if not DATE.fullmatch(text):
        raise NotX12("value")
    try:
        return date(int(text[:4]), int(text[4:6]), int(text[6:]))
    except ValueError:
        raise NotX12("value") from None


def read_days(kind: str, text: str) -> tuple[date | None, date | None]:
    """D8 is one day, RD8 two with a hyphen between them: the first and the last. Raises `NotX12`."""
    first, _, last = text.partition("-") if kind == "RD8" else (text, "", "")
    if kind not in ("D8", "RD8"):
        raise NotX12("value")
    return read_day(first), read_day(last)


def cents(one: int | None) -> str:
    return "" if one is None else f"{'-' if one < 0 else ''}{abs(one) // 100}.{abs(one) % 100:02}"


def read_cents(text: str) -> int | None:
    """Dollars with two places at most. Raises `NotX12`."""
    if not text:
        return None
    found = AMOUNT.fullmatch(text)
    if found is None or not (found[2] or found[3]):
        raise NotX12("value")
    whole = int(found[2] or 0) * 100 + int((found[3] or "0").ljust(2, "0"))
    return -whole if found[1] else whole


def percent(one: float | None) -> str:
    """A share of one: 20 percent are .2."""
    return "" if one is None else f"{one / 100:.4f}".rstrip("0").rstrip(".") or "0"


def read_percent(text: str) -> float | None:
    """Raises `NotX12` for what is no share of one."""
    if not text:
        return None
    if not PERCENT.fullmatch(text) or float(text) > 1:
        raise NotX12("value")
    return round(float(text) * 100, 4)


def parts(text: str, separator: str = USUAL.repetition) -> tuple[str, ...]:
    """The repetitions of an element; none for an empty one."""
    return tuple(each for each in text.split(separator) if each)
