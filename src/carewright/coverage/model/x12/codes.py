"""Codes of a 271 or 278 that decide something, as tables; words are ours.

Source: ASC X12 005010X279A1 and 005010X217, data elements 1390, 901, 889 and 306.
"""

from typing import cast

from carewright.contracts.coverage import AuthorisationState

BENEFITS = """
1   active          covered
2   active          covered, full risk
3   active          covered, services are capitated
4   active          covered, services are capitated to the primary care physician
5   active          covered, an investigation is pending
6   inactive        not covered
7   inactive        not covered, eligibility update pending
8   inactive        not covered, an investigation is pending
I   not-covered     this service is not part of the plan
A   coinsurance     the patient's share, in percent
B   copay           the patient's share, in money
C   deductible      what the patient pays first
G   out-of-pocket   the most that the patient pays
R   other-payer     somebody else pays, or pays first
V   cannot-process  the payer cannot say
"""
"""EB01. What is not here tells the desk nothing that it must act on."""
REJECTS = """
15  data            information is missing
33  data            something in the question is wrong
41  not-allowed     we may not ask this payer
42  payer-away      the payer cannot answer just now
43  provider        our provider number is wrong
44  provider        our name is wrong
45  provider        our specialty is wrong
50  provider        the payer does not answer us
51  provider        the payer does not know us
52  not-enrolled    the plan did not hold on that day
53  data            the kind of service does not fit
54  data            the product does not fit
55  data            the product does not fit the day
56  service-date    the day is not one the payer answers for
57  service-date    the day is wrong
58  birth-date      the birth date is wrong
60  birth-date      the birth date lies after the day
61  death           the date of death lies before the day
62  service-date    the day is too long ago or too far ahead
63  service-date    the day is too far ahead
64  member-id       the patient's number is wrong
65  name            the patient's name is wrong
66  gender          the patient's gender is wrong
67  patient         the payer does not know the patient
68  member-id       the patient's number stands for several
71  birth-date      the birth date is not the one the payer has
72  member-id       the subscriber's number is wrong
73  name            the subscriber's name is wrong
74  gender          the subscriber's gender is wrong
75  subscriber      the payer does not know the subscriber
76  member-id       the subscriber's number stands for several
77  patient         the payer knows the subscriber and not the patient
78  group           the subscriber is not in that group or plan
79  payer           the payer's number is wrong
80  payer-away      nobody answered
97  provider        our address is wrong
T4  payer           the payer's name or number is missing
"""
"""AAA03."""

ACTIONS = """
A1  certified  certified in total
A2  partial    certified in part
A3  denied     not certified
A4  pended     pended
A6  partial    certified, and otherwise than it was asked for
NA  certified  no certification is needed
"""
"""HCR01, data element 306 (005010X217). CT says to call the payer, C that it was cancelled: neither says whether it pays."""


def _table(text: str) -> dict[str, str]:
    return {code: word for code, word, _ in (line.split(maxsplit=2) for line in text.strip().splitlines())}


BENEFIT_OF, REJECT_OF = _table(BENEFITS), _table(REJECTS)
ACTION_OF = cast("dict[str, AuthorisationState]", _table(ACTIONS))
