-- Why an appointment was cancelled may tell of somebody's health, so it is sealed with the other words, in `private`. Why a hold ended is
-- ours to say, and stays open. Nothing was released: no reason is carried over.
UPDATE scheduling.appointment SET value = value - 'cancelation_reason'
WHERE value->>'cancelation_reason' NOT IN ('hold-released', 'hold-expired');
UPDATE scheduling.appointment_history SET value = value - 'cancelation_reason'
WHERE value->>'cancelation_reason' NOT IN ('hold-released', 'hold-expired');
