"""What FHIR R4 rows mean to us: pure rules from JSON text to contract values, each refusal with a stable code.

`definitions` is R4's form, and `validating` holds a value against it, with `primitives`, `narrative` and `invariants`; `xml` is its other
notation, `patching` and `path_patching` change it, and `summarizing` takes a part (docs/concepts/fhir-form.md). The import is
the rest: `r4` is the shape of the rows, `reading` turns a row into a draft, `completing` fills in ids and references, `reports` keeps count.
"""
