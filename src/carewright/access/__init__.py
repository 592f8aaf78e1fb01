"""Access: who may come in, as whom, and for how long.

Owns: accounts, sessions, one-time passwords, passkeys, consents to proxies, other systems and apps with their keys, what people let
    apps do, broken glass and its reviews,
    and the exchange with the hospital's identity provider.
Tables: schema `access` (account, session, code, sign_in, passkey, passkey_challenge, consent, client, assertion, app_grant, refresh_token,
    break_glass).
Invariants: a secret is stored only as a hash; a code, a challenge, a state, an assertion and a refresh token serve once; an account that is
    disabled has no session; the glass is broken for 60 minutes at most, and each time is reviewed once, by somebody else.
Must never: keep a password, tell a caller which check of a sign-in failed, or let a token, a code or a person's data into a log or event.
"""
