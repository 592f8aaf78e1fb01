"""The steps of an import: rows of a source, values, the use cases, one report."""
