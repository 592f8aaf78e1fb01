"""Orders: what somebody asks to be done for a patient, a referral among it, and how far that has come.

Owns: ServiceRequest (status, intent, priority, what, for whom, by whom, when, why) and the numbers by which both sides know one.
Tables: schema `orders` (request, identifier, patient).
Invariants: an order stays its patient's and keeps its intent; its status goes only where `model.STEPS` lets it; an identifier names one
order; a version rises exactly when the order says something new; what is asked, why and by which number lies sealed to its row; nothing
is kept about a patient who was erased.
Must never: book time, decide who a patient is, or let what an order says into a log, an address or an event.
"""
