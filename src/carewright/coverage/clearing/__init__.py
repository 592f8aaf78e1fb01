"""How payers are reached: a port, and who stands behind it. Whatever is answered is held against the question before it is believed."""
