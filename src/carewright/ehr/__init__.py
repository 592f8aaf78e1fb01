"""EHR rim: asks the hospital's electronic health record over FHIR R4, as Epic and Oracle Health serve it, and tells it of ours.

Owns: which EHRs there are and how each is asked, what of theirs is what of ours, and where the two differ.

Tables: schema `ehr` (connection, subscription, link, difference).

Invariants:
- What the two say of one thing is the same, or a difference says that it is not; nothing of ours is overwritten without one.
- An appointment of ours is there once, however often it is told, and whatever was heard of it.
- A pull goes through whatever was asked longest ago first, so that one which was cut short goes on where it ended.
- However often an EHR wakes us, one pull at a time goes on, and one after it; nothing is read of what it sends.
- However an EHR answers, a pull ends: pages, waits and times have limits.
- Keys and ids of theirs are sealed; a difference names elements, never what they say.

Must never: decide about time, people or places itself, send a token anywhere but to its EHR, or let what an EHR says into a log.
"""
