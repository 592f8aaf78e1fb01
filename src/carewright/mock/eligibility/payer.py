"""What the made-up payer answers. It reads and writes X12 by its own few lines, and knows its members by the beginning of their number.

| number begins with | answer |
|---|---|
| `N` | the subscriber is not known (AAA 75) |
| `D` | the birth date is another one (AAA 71) |
| `X` | covered until the end of last year (EB 6) |
| `P` | covered, but only if it was authorised before (EB11 Y) |
| `Z` | the payer cannot answer just now (AAA 42) |
| anything else | covered; a visit costs 25 dollars and 20 percent, 400 of 1,500 dollars of deductible are left |
"""

from typing import Literal, NamedTuple

Lie = Literal["trace", "member", "birth", "cut", "counts", "garbage", "kind", "none"]
COVERED = (
    "EB*1*IND*30**GOLD PPO", "EB*B*IND*98****25*****Y", "EB*A*IND*98*****.2****Y", "EB*C*IND*30***23*1500*****Y",
    "EB*C*IND*30***29*400*****Y", "EB*C*IND*30***29*3000*****N",
)  # fmt: skip


def segments_of(question: str) -> list[list[str]]:
    """An interchange's segments, each its elements."""
    return [each.strip().split("*") for each in question.split("~") if each.strip()]


def answer_to(question: str, lie: Lie = "none") -> str:
    """The 271 to a 270, or a lie. Raises `ValueError` for what is no 270."""
    segments = segments_of(question)
    asked = {each[0] if each[0] != "NM1" else f"NM1 {each[1]}": each for each in segments}
    if asked.get("ST", ["", ""])[1] != "270":
        raise ValueError("this is no 270")
    member = asked["NM1 IL"]
    body = _body(asked, member, lie)
    return enclosed(asked, body, Envelope("HB", "271", "005010X279A1"), lie)


def _body(asked: dict[str, list[str]], member: list[str], lie: Lie) -> list[str]:
    trace = "0" * 32 if lie == "trace" else asked["TRN"][2]
    number = "OTHER99" if lie == "member" else member[9]
    person = [f"NM1*IL*1*{member[3]}*{member[4]}****MI*{number}"]
    rejected = {"N": "AAA*N**75*C", "D": "AAA*N**71*C", "Z": "AAA*Y**42*R"}.get(member[9][0])
    born = "19010101" if lie == "birth" else (asked.get("DMG", [""] * 3)[2] or "19800229")
    said = [rejected] if rejected else []
    benefits = [] if rejected else _benefits(member[9][0], asked["DTP"][3])
    echo = f"TRN*2*{trace}*{asked['TRN'][3]}"
    head = [f"BHT*0022*11*{trace}*{asked['BHT'][4]}*{asked['BHT'][5]}", "HL*1**20*1", _payer(asked), "HL*2*1*21*1", _provider(asked)]
    if "NM1 03" not in asked:
        return [*head, "HL*3*2*22*0", echo, *person, *said, f"DMG*D8*{born}", *benefits]
    dependent = asked["NM1 03"]
    return [*head, "HL*3*2*22*1", *person, "HL*4*3*23*0", echo, f"NM1*03*1*{dependent[3]}*{dependent[4]}", *said, *benefits]


def _benefits(kind: str, day: str) -> list[str]:
    year = int(day[:4])
    if kind == "X":
        return [f"DTP*347*D8*{year - 1}1231", "EB*6**30"]
    needed = ["EB*1*IND*98********Y"] if kind == "P" else []
    return [f"DTP*346*D8*{year}0101", *COVERED, *needed]


def _payer(asked: dict[str, list[str]]) -> str:
    return "*".join(asked["NM1 PR"])


def _provider(asked: dict[str, list[str]]) -> str:
    return "*".join(asked["NM1 1P"])


class Envelope(NamedTuple):
    """What goes round an answer: the kind of its group and of itself, and the guide that it keeps to."""

    group: str
    kind: str
    guide: str


def enclosed(asked: dict[str, list[str]], body: list[str], envelope: Envelope, lie: Lie) -> str:
    """An answer whole, or spoilt as `lie` has it."""
    isa, gs = asked["ISA"], asked["GS"]
    kind = "277" if lie == "kind" else envelope.kind
    header = "*".join(["ISA", *isa[1:6], isa[8], isa[7], isa[6], *isa[9:]])
    group = f"GS*{envelope.group}*{gs[3]}*{gs[2]}*{gs[4]}*{gs[5]}*1*X*{envelope.guide}"
    inside = [f"ST*{kind}*0001*{envelope.guide}", *body, f"SE*{len(body) + 2}*0001"]
    return _spoilt("~".join([header, group, *inside, "GE*1*1", f"IEA*1*{isa[13]}", ""]), lie)


def _spoilt(text: str, lie: Lie) -> str:
    match lie:
        case "cut":
            return text[: len(text) // 2]
        case "counts":
            return text.replace("~GE*1*", "~GE*2*")
        case "garbage":
            return "<html>It works!</html>"
        case _:
            return text
