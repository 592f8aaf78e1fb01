"""Tests of records without a database."""
