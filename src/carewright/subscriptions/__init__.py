"""Subscriptions: other systems are told what changed, at an address of theirs, until it has arrived.

Owns: standing requests for notifications (FHIR R4 with the topic-based backport), which of them an event concerns, and the sending.

Tables: schema `subscriptions` (subscription, event).

Invariants:
- What concerns a subscription is numbered for it in the transaction that handles the event; numbers have no gap.
- A receiver gets the events of its subscription in their order, at least once, and the next only after the last was taken.
- A receiver that hangs, lies or is away delays its own subscription and no other. After a bounded time it is off, with a reason.
- What is told is what the client may read when it is told. Disabled, it is told nothing.
- A change begins anew from the handshake; a turn of an earlier version changes nothing.
- Address, headers, secret and reason are sealed; what was told of whom is in the journal.

Must never: follow a redirect, send into our own network, put anything of a person into an address, or tell what an event says instead of
what its subject is now.
"""
