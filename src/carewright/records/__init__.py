"""Records: how long what is known of people is kept, where, what must stay because of the law, and what patients take along.

Owns: the use cases of retention, residency and legal hold, for privacy officers; the export of one patient; what may be in a row of the
    extract without names.
Tables: none of its own. Rules and holds lie in the kernel's (retention, jurisdiction, legal_hold): every module asks before it disposes.
Invariants: nothing is kept for less than the law's floor; a hold has a reason, is never deleted, and is lifted once, with another reason;
    an export holds everything of one patient, nothing of another, and is recorded as one deed.
Must never: dispose of anything itself. Each module disposes of its own (`kernel/keeping.py`).
"""
