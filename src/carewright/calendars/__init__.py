"""Calendars: appointments for other people's calendar programs (iCalendar, RFC 5545), and their busy times as blocks of ours.

Owns: feeds, of a patient's appointments or of one bookable actor's calendar: whose, by whom, since when, and its text as last written;
sources, calendars of others that close one of ours: where each is fetched, and which blocks it made.
Tables: schema `calendars` (feed, patient, source, blocked).
Invariants: of an address only its SHA-256 is kept; a feed is written anew after whatever changed it, and once a day; what it says lies
sealed to its row; it ends with the patient, and with the account that made it; nothing is kept about a patient who was erased; what
is not understood whole changes no block, and a block cancels no appointment.
Must never: put a patient's name or the kind of their visit into a patient's feed, a patient's name or id into a calendar's, keep an
appointment of its own, keep what another calendar says beyond when it is busy, or let an address into a log.
"""
