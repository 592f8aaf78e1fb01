-- What people write in their own words may say anything about a person: it is sealed. `note` is what the patient tells the practice;
-- `private` the referral and the reason of an override. History keeps the same columns in the same order.
ALTER TABLE scheduling.appointment DROP COLUMN note, ADD COLUMN note bytea, ADD COLUMN private bytea;
ALTER TABLE scheduling.appointment_history DROP COLUMN note, ADD COLUMN note bytea, ADD COLUMN private bytea;
UPDATE scheduling.appointment SET value = value - 'based_on' - 'override_reason' WHERE value ?| ARRAY['based_on', 'override_reason'];
UPDATE scheduling.appointment_history SET value = value - 'based_on' - 'override_reason' WHERE value ?| ARRAY['based_on', 'override_reason'];
DELETE FROM scheduling.block;
ALTER TABLE scheduling.block DROP COLUMN reason, ADD COLUMN reason bytea NOT NULL;
