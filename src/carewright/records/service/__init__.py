"""The use cases of records: rules and holds, and the export of one patient."""
