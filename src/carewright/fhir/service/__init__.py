"""What the rim does: each function asks the modules that know, in the caller's name, and decides nothing itself."""
