"""Carewright: hospital scheduling and patient flow."""

__version__ = "0.1.0"
