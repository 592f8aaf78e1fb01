-- An emergency is why an appointment begins late.
ALTER TABLE flow.expected ADD COLUMN by_emergency boolean NOT NULL DEFAULT false;
