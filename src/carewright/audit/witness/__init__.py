"""Outside witnesses: where checkpoints go, so that whoever changes the whole database is still found out."""
