"""FHIR rim: how other hospital systems read, find, book and change what is here, and how their records come in.

Owns: the FHIR R4 server under /fhir/R4 (https://hl7.org/fhir/R4/), the form of what is sent to it (`definitions/`), the import of files. It
shows what modules say by `contracts/fhir`, and hands commands to them through their contracts.

Tables: schema `fhir` (export): which exports were asked for, and not what they hold.

Invariants:
- A write through FHIR goes through the same use case, and the same rules, as one through our own API.
- What is computed has an id that says what it is: slots and proposals are stored nowhere.
- Whatever is refused under /fhir/R4/ is an OperationOutcome with a stable code.
- Every line of an import ends as exactly one of accepted, rejected or skipped; a bad row never costs a good one.
- The same files imported twice change nothing: a resource is known again by its source id, kept as an identifier.
- A report names files, lines, FHIR ids and codes, never a person's data.

Must never: keep a resource, follow a reference over the network, or guess whom a patient record belongs to.
"""
