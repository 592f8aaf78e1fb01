"""The rules of flow, pure: no clock, no I/O, no storage.

`encounters` says what makes an encounter sound, and how its status goes on.
"""
