"""The console: the pages of the staff. Signing in and out, one's own sessions, breaking the glass, and the privacy officer's page.

Owns: the staff's pages under /staff, and the browser session's cookies.
Tables: none. Everything it shows it asks of others through `contracts`.
Invariants: every page works without JavaScript; no page carries inline script or style; a form changes something only when it came from our
    own page; while the glass is broken every page says so; no token and no person data in a URL or a log.
Must never: decide who may do what, or keep a copy of anything.
"""
