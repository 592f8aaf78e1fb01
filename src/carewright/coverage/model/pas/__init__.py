"""Da Vinci PAS of our own: the bundles that are sent, and what is read out of those that come (version 2.1, STU 2)."""
