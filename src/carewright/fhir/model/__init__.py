"""What FHIR R4 means to us: pure rules, each refusal with a stable code.

`definitions` is R4's form, and `validating` holds a value against it, with `primitives`, `narrative` and `invariants`; `xml` is its other
notation, `patching` and `path_patching` change it, and `summarizing` takes a part (docs/concepts/fhir-form.md).
Of the server: `wanted`, `parameters` and `pointing` read what is asked, `searching` decides searches, `ids` and `slots` are what is
computed, `outcomes` says no.
Of the import: `r4` is the shape of the rows, `reading` turns a row into a draft, `completing` fills in ids and references, `reports`
keeps count.
"""
