"""Carewright's tests, one folder per tier. See tests/run.py."""
