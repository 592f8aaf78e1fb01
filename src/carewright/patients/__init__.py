"""Patients: who receives care, and how to reach them.

Owns: Patient (names, birth date, gender, language, contact points) and the identifiers by which other systems know a person.
Tables: schema `patients` (patient, identifier, erasure, merge), and `kernel.merged`, which everybody asks.
Invariants: an identifier names one patient; a patient reads their own record and nobody else's; a version rises exactly when the record
says something new; names, birth dates, contacts and identifiers lie sealed to their row;
an erased record does not come back under its id;
a record that was merged is inactive, has no identifier, and is changed no more.
Must never: let person data into a log, an error's facts, an address or an event, or delete a person unless they are erased for good.
"""
