"""The house rules as tests: what a reviewer would otherwise have to remember.

`rules.py` holds one function per rule, `allowed.py` the few exceptions with their reasons. Every rule is shown a bad sample in
`test_rules.py`, so that none of them can fall silent unnoticed.
"""
