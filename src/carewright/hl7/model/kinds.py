"""What each message asks for: message type, trigger event, and what we do (HL7 v2.8.2, chapters 3, 4 and 10)."""

import re

TABLE = """
SIU  S12  book
SIU  S13  modify
SIU  S14  modify
SIU  S15  cancel
SIU  S16  cancel
SIU  S17  delete
SIU  S18  modify
SIU  S19  modify
SIU  S20  by-hand
SIU  S21  by-hand
SIU  S22  by-hand
SIU  S23  block
SIU  S24  unblock
SIU  S26  no-show
ADT  A01  register
ADT  A02  register
ADT  A03  register
ADT  A04  register
ADT  A08  register
ADT  A11  update
ADT  A13  update
ADT  A18  merge
ADT  A28  register
ADT  A30  merge
ADT  A31  register
ADT  A34  merge
ADT  A40  merge
ORM  O01  order
OML  O21  order
"""
"""`by-hand` goes to the work list: a resource taken from an appointment. So does an `order`, once it is
kept: a person books what it asks for."""
ACTIONS = {(kind, event): action for kind, event, action in (line.split() for line in TABLE.strip().splitlines())}
TYPES = frozenset(kind for kind, _ in ACTIONS)
NAMED = re.compile(r"[A-Z]{3}")
EVENT = re.compile(r"[A-Z][A-Z0-9]{2}")
VERSION = re.compile(r"2\.[2-8](?:\.[0-9])?")


def shown(kind: tuple[str, str]) -> str:
    """`SIU^S12`; what is no type or no event is left out, since it may be anything."""
    return "^".join((kind[0] if NAMED.fullmatch(kind[0]) else "", kind[1] if EVENT.fullmatch(kind[1]) else ""))
