"""Migration: what older systems hold, brought here through the same use cases as everything else.

A source is read into rows, a row becomes a value by a mapping that is data, a value goes through a use case of the module that owns it,
and every row is told in one report. A source is a CSV file, or a dump of a system whose tables are known; another is another reader of
rows before the same steps.
A system that stays in use is mirrored: its exports are copied where it is master, and compared.
Owns: which appointment of ours is which of an older system's, and reports of how the two differ. A patient is known by their identifier
there, which is kept with the patient.
Tables: schema `migration` (link, report).
Invariants: every row is counted once, as accepted, rejected or skipped, with its line and a code that is never renamed; a second run of the
same file changes nothing; a dry run writes nothing; the other system's ids of appointments lie here as keyed hashes alone.
Must never: decide what may be booked or who is master, or put anything of a person into a report.
"""
