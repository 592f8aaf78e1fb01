"""The rules of flow, pure: no clock, no I/O, no storage.

`encounters` says what makes an encounter sound, and how its status goes on. `waiting` knows how long people wait in a queue with tiers, in
which order they should be called, and what may honestly be told to them.
"""
