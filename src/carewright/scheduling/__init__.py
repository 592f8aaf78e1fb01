"""Scheduling: calendars, claims on time, appointments, and the question asked most, "what is free?".

Owns: schedules with their working hours, openings and blocks; the claim ledger; appointments with what they were before, live and past;
offers of other times; what depends on what; the availability index.
Tables: schema `scheduling` (schedule, opening, block, claim, appointment, appointment_history, appointment_version, master,
master_step, offer, link; copies: site, visit_type, patient, payer_stop).
Invariants: no two claims of one schedule and lane overlap; an appointment holds all its claims or none; a booking never commits against
working hours or blocks that no longer hold, nor where an older system is master; every state change writes its event in the same
transaction.
Must never: read another module's tables, put a person's name or a note into an event, or answer from the index who won.
"""
