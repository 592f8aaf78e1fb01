"""Coverage: who pays for a patient's care, and what they answer when asked.

Owns: Coverage (payer, plan, member, who the subscriber is, from when till when), what payers were asked and said, each site's rule,
about what kind of service each visit type is asked and whether it is authorised before, what payers said to that, what their no stops.
Tables: schema `coverage` (coverage, patient, eligibility, authorisation, visit, policy, service_type).
Invariants: a patient has a coverage of one payer under one member id once; a version rises with every change; members, names, plans and
answers lie sealed to their row; nothing is kept about a patient who was erased; an answer is believed only if it is to our question and
about our member; whatever became of a question is kept.
Must never: decide about time, hold up a booking, or let a member id or a name into a log, an address, a file's name or an event.
"""
