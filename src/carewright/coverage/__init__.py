"""Coverage: who pays for a patient's care, and what they answer when asked.

Owns: Coverage (payer, plan, member, who the subscriber is, from when till when).
Tables: schema `coverage` (coverage, erased).
Invariants: a patient has a coverage of one payer under one member id once; a version rises with every change; members, names and plans
lie sealed to their row; nothing is kept about a patient who was erased.
Must never: decide about time, hold up a booking, or let a member id or a name into a log, an address, a file's name or an event.
"""
