-- Whoever calls asks of each of the few who come first whether they are being seen just now. With the patient in it every index that PostgreSQL
-- may take for that question answers it at once: without, it read everybody who was being seen, for each of them.
DROP INDEX flow.queue_entry_open;
CREATE INDEX queue_entry_open ON flow.queue_entry (organization_id, queue_id, patient_id)
    WHERE status IN ('expected', 'called', 'in-service', 'on-hold', 'skipped');
