"""Simulation: hospitals made from a seed.

Owns: the demonstration hospital (`hospital`): who works there, when, with which rooms and devices, and ninety days of appointments.
Tables: none. It produces values and columns; `hospital.storing` hands them to the modules that own the tables.
Invariants: the same generator state, start date and size give the same bytes; no actor and no patient is ever in two places; every
appointment uses actors of its visit type's pools inside their openings; every name is invented, every phone number lies in the range
reserved for fiction (555-0100 to 555-0199), every e-mail address at example.org.
Must never: read a clock, make randomness of its own, or open a connection.
"""
