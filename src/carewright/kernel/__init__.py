"""The kernel: what every module stands on and nothing of hospitals.

Owns: context, clock, ids, randomness, database access, named SQL, migrations, outbox, jobs, errors, HTTP, tokens, settings, telemetry.
Tables: schema `kernel` (outbox, consumer, inbox, dead_letter, job, timer, idempotency, migration).
Invariants: the event log loses nothing and is read in order per subject; an idempotency key answers once.
Must never: import a module, name a hospital concept, or let a driver's type escape.
"""
