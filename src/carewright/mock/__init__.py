"""Servers that stand for other people's systems, for tests and for those who build against us: `carewright mock`.

Owns: a made-up electronic health record (`ehr`), which speaks FHIR R4 with the habits of Epic or of Oracle Health, or with none and tells
subscribers of changes; a made-up clearing-house (`eligibility`), which answers X12 270.
Tables: none. What is there is made from a seed, lives in memory and ends with the process.
Invariants: the same seed and day give the same patients, times and ids; every name is invented, every number lies where nobody has one.
Must never: be part of a hospital's system, or share code with what talks to it: a mistake made twice would be seen by nobody.
"""
