"""How long people wait in a queue with tiers, pure: no clock, no I/O; chance comes in as a generator.

`theory` has the formulas that are exact, `distribution` how long things take, `demand` who comes, `simulation` replays a queue many times
at once, `tuner` finds the order that meets a site's targets, `estimates` tells those who wait how long it may be, and `learning` corrects
that by what became of them. `groups` lets a replay follow thousands, and `policy` gives it the order in which a queue does call.
Time is counted in minutes from a moment that the caller chooses.
"""
