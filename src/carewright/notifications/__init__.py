"""Notifications: what the hospital says to people, and whether it reached them.

Owns: Communication (template, language, channel, recipient, how far it came), the templates, and delivery.
Tables: schema `notifications` (communication).
Invariants: a message's contact and text lie sealed, and are forgotten at `forget_at`; one that is worth nothing any more is not sent;
    whoever asks for a message never waits for its delivery.
Must never: put a diagnosis, a kind of visit or a patient's name into a message; let a contact, a text or a code into a log, an event or a
    fact of a refusal; show the local inbox where messages are real.
"""
