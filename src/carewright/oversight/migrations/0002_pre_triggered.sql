-- What noticed an incident, and whom it is about: one that nobody reported is opened once, and not again every few seconds.
ALTER TABLE oversight.incident
    ADD COLUMN kind text NOT NULL DEFAULT 'reported' CHECK (kind IN ('reported', 'codes_guessed', 'reading_rate', 'bad_tokens')),
    ADD COLUMN about text NOT NULL DEFAULT '' CHECK (length(about) <= 200);
CREATE INDEX incident_about ON oversight.incident (organization_id, kind, about, opened_at) WHERE kind <> 'reported';
