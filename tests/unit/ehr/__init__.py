"""Tests of EHR connections' rules."""
