"""From bytes to text by MSH-18 (table 0211). Where it says nothing: UTF-8 if it is that, else Windows' western European."""

import re

from carewright.contracts.hl7 import NotHl7

TABLE = """
ASCII               ascii
8859/1              iso8859-1
8859/2              iso8859-2
8859/3              iso8859-3
8859/4              iso8859-4
8859/5              iso8859-5
8859/6              iso8859-6
8859/7              iso8859-7
8859/8              iso8859-8
8859/9              iso8859-9
8859/15             iso8859-15
ISO IR14            shift_jis
ISO IR87            iso2022_jp
ISO IR159           iso2022_jp_2
GB 18030-2000       gb18030
KS X 1001           euc_kr
BIG-5               big5
UNICODE             utf-8
UNICODE UTF-8       utf-8
UTF-8               utf-8
"""
CODECS = {name.strip(): codec for name, codec in (line.rsplit(maxsplit=1) for line in TABLE.strip().splitlines())}
SYNONYMS = (("ISO8859", "8859"), ("ISO-8859-", "8859/"), ("8859-", "8859/"), ("UNICODEUTF-8", "UNICODE UTF-8"), ("WINDOWS-1252", "8859/1"))
UNICODE = re.compile(r"UNICODE(?: UTF-8)?|UTF-?8")
LATIN = "cp1252"


def decoded(raw: bytes) -> str:
    """The text. Raises `NotHl7` for a character set that is not ours, and for bytes that are not of the one that is named."""
    named = _named(raw)
    if named in ("", "ASCII"):
        return _guessed(raw)
    codec = CODECS.get(named)
    try:
        if codec is not None:
            return raw.decode(codec)
    except UnicodeDecodeError as fault:
        raise NotHl7(rule="charset") from fault
    raise NotHl7(rule="charset")


def encoded(text: str) -> bytes:
    """The message in the character set that its header names, UTF-8 where it names none. Raises `NotHl7` as `decoded` does."""
    codec = CODECS.get(_named(text.encode("latin-1", "replace")) or "UTF-8")
    try:
        if codec is not None:
            return text.encode("utf-8" if codec == "ascii" else codec)
    except UnicodeEncodeError as fault:
        raise NotHl7(rule="charset") from fault
    raise NotHl7(rule="charset")


def _named(raw: bytes) -> str:
    """MSH-18 as the table has it. It is asked of the bytes, in which a header has ASCII alone up to there."""
    header = re.split(rb"[\r\n]", raw.lstrip(b"\xef\xbb\xbf\x0b \t\r\n"), maxsplit=1)[0].decode("latin-1")
    fields = header.split(header[3]) if len(header) > 3 else []
    given = (fields[17] if len(fields) > 17 else "").upper().strip()
    repetition = header[5:6] if len(header) > 5 else "~"
    named = given.partition(repetition or "~")[0].strip()
    for spelling, ours in SYNONYMS:
        named = named.replace(spelling, ours)
    return "UTF-8" if UNICODE.fullmatch(named) else named


def _guessed(raw: bytes) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode(LATIN, errors="replace")
