"""The rules of time, pure: no clock, no I/O, no storage.

`calendar` turns working rules into openings, `ticks` turns instants into bits, `availability` keeps every actor's free time as bits,
`search` asks them what is free, `matching` keeps two places from taking one actor, and `choice` picks the best of those who could serve.
"""
