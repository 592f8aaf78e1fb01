"""Identity: a small OpenID Connect provider with demonstration accounts, for the embedded default and the tests.

Owns: the sign-in form of the demonstration staff, and a signing key that lives as long as the process.
Tables: none. A code is kept in memory for a minute; whoever restarts the process signs in anew.
Invariants: it is a peer like any other provider: authorization code with PKCE (S256) and nothing else; a code serves once, for the client
    and the address it was made for; passwords are held as Argon2id; a refused
    sign-in stands in the audit log.
Must never: run outside the embedded default. It refuses to start under an address that others can reach, and answers this machine alone.
"""
