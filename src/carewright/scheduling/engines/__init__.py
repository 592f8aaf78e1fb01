"""Engines that plan a day: one kernel, one objective, several ways to search."""
