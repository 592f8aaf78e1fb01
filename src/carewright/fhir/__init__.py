"""FHIR rim: how other hospital systems' records come in.

Owns: the reading of FHIR R4 resources (https://hl7.org/fhir/R4/), their form (`definitions/r4.json`) and what each of them means to us.
What it reads is handed to `directory` and `patients` through their contracts.

Tables: none.

Invariants:
- Every line of an import ends as exactly one of accepted, rejected or skipped; a bad row never costs a good one.
- The same files imported twice change nothing: a resource is known again by its source id, kept as an identifier.
- A report names files, lines, FHIR ids and codes, never a person's data.

Must never: keep a table, follow a reference over the network, or guess whom a patient record belongs to.
"""
