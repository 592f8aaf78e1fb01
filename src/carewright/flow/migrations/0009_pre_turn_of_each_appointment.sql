-- Who has two appointments in one service waits for each: until now the second had no turn while the first lasted, and nobody called them.
DROP INDEX flow.queue_entry_once;
CREATE UNIQUE INDEX queue_entry_once ON flow.queue_entry
    (organization_id, queue_id, patient_id, (coalesce(appointment_id, '00000000-0000-0000-0000-000000000000'))) WHERE ended_at IS NULL;
