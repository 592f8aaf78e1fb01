"""Oversight: what is done when something goes wrong, and the record of it.

Owns: incidents, the steps that were taken, and their findings. What is held back lies in `kernel.restraint`: every process must know it.
Tables: schema `oversight` (incident).
Invariants: an incident is recorded before its first step; every step leaves an entry, whether it worked or not; one step that fails
    stops no other; reasons and findings lie sealed.
Must never: read a patient's record, touch another module's tables, or do by itself what shuts people out for good.
"""
