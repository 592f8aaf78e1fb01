"""HL7 v2 rim: what other systems say in HL7 version 2, by MLLP or HTTP, what we do about it, and what we tell them.

Owns: the reading and writing of HL7 v2 messages, the messages received and what became of each, the work list of those that did not fit,
the tables by which codes of others become ours, the partners whom we tell, and what each is to be told.

Tables: schema `hl7` (message, named, link, mapping, partner, partner_code, outgoing).

Invariants:
- Whatever arrives is read as a message or refused in one way, `NotHl7`; nothing else is raised, whatever the bytes.
- What is written reads back as the same message.
- A message is stored in the transaction that decides its fate, sealed, and then answered; the same message again is done no second time.
- Later messages about an appointment wait behind one that waits on the work list, both ways.
- What a partner is to be told is stored in the transaction that takes the fact, and sent, the same each time, until it was answered.

Must never: decide about time, people or places itself, guess what a code means, or let what a message says into a log.
"""
