-- Of which resources an export has which elements. Filters name codes, ids and times, and no person.
ALTER TABLE fhir.export
    ADD COLUMN elements text[] NOT NULL DEFAULT '{}' CHECK (cardinality(elements) <= 100),
    ADD COLUMN filters  text[] NOT NULL DEFAULT '{}' CHECK (cardinality(filters) <= 20);
