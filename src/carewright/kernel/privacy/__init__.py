"""Privacy at rest: a person's data is encrypted before it reaches the database, and found again without being read.

- `cipher`: seals and opens fields, and makes blind indexes, for one organization.
- `index`: blind indexes that answer "begins with".
- `vault`: the organizations' keys: made, kept, rotated, destroyed.
- `kek`: the key that wraps those keys: in a file, or in a key service (`transit`, `aws`, `gcp`; `services` chooses, `asking` asks).

docs/concepts/privacy.md explains it; docs/adr/0014-a-field-is-sealed-to-its-place.md says why it is so.
"""
