"""Vitals: what was observed of patients. For now what other systems bring, kept to be read; scores and alerts are to come on top of it.

Owns: Observation (status, what was looked at, what it was, when).
Tables: schema `vitals` (observation, identifier, patient).
Invariants: an observation stays its patient's; an identifier names one observation; a version rises exactly when the observation says
something new; what was looked at and found lies sealed to its row; nothing is kept about a patient who was erased.
Must never: judge what a value means, decide who a patient is, or let what an observation says into a log, an address or an event.
"""
