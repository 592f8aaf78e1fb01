-- Whoever asks what begins on a day asks for one hospital's page by (start, id). Without this every day is found by reading every
-- appointment. It is the one index that a booking pays for besides those of its key and its patient: site and kind of visit are filtered
-- from the day's rows, so that neither needs its own. Archived appointments have the same, and a search walks all of them as one.
CREATE INDEX appointment_by_start ON scheduling.appointment (organization_id, starts_at, id);
CREATE INDEX appointment_history_by_start ON scheduling.appointment_history (organization_id, starts_at, id);
