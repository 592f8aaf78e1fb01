-- What payers are asked to authorise: `trace` goes out with the request, and the answer is found by it; what was pended is asked about again
-- at `inquire_at`, having been asked so often. What the desk wrote down has neither. A trace is that of one visit on one day: a request that
-- is sent again because nobody answered has it again, so that no payer opens two cases.
ALTER TABLE coverage.authorisation
    ADD COLUMN trace      text CHECK (trace ~ '^[0-9A-F]{32}$'),
    ADD COLUMN inquire_at timestamptz,
    ADD COLUMN inquiries  int NOT NULL DEFAULT 0 CHECK (inquiries >= 0);
CREATE INDEX authorisation_by_trace ON coverage.authorisation (trace);
CREATE INDEX authorisation_to_inquire ON coverage.authorisation (inquire_at);
