"""Calendars: appointments for other people's calendar programs (iCalendar, RFC 5545), each feed at a private address.

Owns: feeds, of a patient's appointments or of one bookable actor's calendar: whose, by whom, since when, and its text as last written.
Tables: schema `calendars` (feed, patient).
Invariants: of an address only its SHA-256 is kept; a feed is written anew after whatever changed it, and once a day; what it says lies
sealed to its row; it ends with the patient, and with the account that made it; nothing is kept about a patient who was erased.
Must never: put a patient's name or the kind of their visit into a patient's feed, a patient's name or id into a calendar's, keep an
appointment of its own, or let an address into a log.
"""
