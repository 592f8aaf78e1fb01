"""Flow: what happens while a patient is in the hospital.

Owns: Encounter (status, class, kind, when, where, with whom, after which appointment) and the identifiers by which other systems know one.
And how queues, rooms and beds stand, who runs late, and what sensors see.
Tables: schema `flow` (encounter, identifier, taking_part; queue and queue_entry; place; delay; relief; sensor and sensing).
Invariants: an encounter stays its patient's; its status goes only where `encounters.STEPS` lets it; an identifier names one encounter; a
version rises exactly when the encounter says something new; everything about it but ids, status and times lies sealed to its row.
Must never: keep a diagnosis, decide who a patient is, or let what an encounter says into a log, an address or an event.
"""
