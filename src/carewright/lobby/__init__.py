"""The lobby: what hangs in waiting rooms and stands at entrances. Screens that call tickets, kiosks that give them, and where they sign in.

Owns: the pages under /station, /screen and /kiosk, their languages, and the station's cookies.
Tables: none. Everything it shows it asks of others through `contracts`.
Invariants: nothing here names anybody or says how urgent they are; a page says when it has lost its connection, and since when; a form
    changes something only when it came from our own page.
Must never: do for a station what its role may not, or keep a copy of anything.
"""
