"""Oversight: what is done when something goes wrong, who opened what without a reason, and the record of both.

Owns: incidents, the steps that were taken, unusual access, and what was found about both. What
    is held back lies in `kernel.restraint`: every process must know it.
Tables: schema `oversight` (incident, unusual, place).
Invariants: an incident is recorded before its first step; every step leaves an entry, whether it worked or not; one step that fails
    stops no other; reasons and findings lie sealed.
Must never: show a patient's record or name, touch another module's tables, or do by itself what shuts people out for good.
"""
