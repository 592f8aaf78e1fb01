"""Records: how long what is known of people is kept, where, and what must stay because of the law.

Owns: the use cases of retention, residency and legal hold, for privacy officers.
Tables: none of its own. Rules and holds lie in the kernel's (retention, jurisdiction, legal_hold): every module asks before it disposes.
Invariants: nothing is kept for less than the law's floor; a hold has a reason, is never deleted, and is lifted once, with another reason.
Must never: dispose of anything itself. Each module disposes of its own (`kernel/keeping.py`).
"""
