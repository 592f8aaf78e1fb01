"""The portal: pages on which a patient signs in, finds, keeps, books, moves and cancels a time; and telling them what became of it.

Owns: the patient's pages, the design system in `static/design`, and the browser's cookies.
Tables: none. Everything it shows it asks of others through `contracts`; everything it remembers is in the visitor's cookies.
Invariants: every page works without JavaScript; no page carries inline script or style; a form changes something only when it came
    from our own page (origin and form token) and at most once (one-time key); no token and no person data in a URL or a log;
    no answer, and no time it takes, tells whether somebody is known here.
Must never: decide whether a time is free, keep a copy of a patient's data, or show one patient anything of another.
"""
