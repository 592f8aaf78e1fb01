"""`make bench-planner`: the planner's engines on public and stored instances, as gaps to bounds and best known values."""
