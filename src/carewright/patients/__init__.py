"""Patients: who receives care, and how to reach them.

Owns: Patient (names, birth date, gender, language, contact points), the identifiers by which other systems know a person, and Group: lists
of patients that other systems keep here.
Tables: schema `patients` (patient, identifier, erasure, merge, patient_group, group_identifier, group_member), and
`kernel.merged`, which everybody asks.
Invariants: an identifier names one patient; a patient reads their own record and nobody else's; a version rises exactly when the record
says something new; names, birth dates, contacts and identifiers lie sealed to their row;
an erased record does not come back under its id;
a record that was merged is inactive, has no identifier, and is changed no more;
a group has members alone who are patients here, by the record that stands; its name and identifiers lie sealed.
Must never: let person data into a log, an error's facts, an address or an event, or delete a person unless they are erased for good.
"""
