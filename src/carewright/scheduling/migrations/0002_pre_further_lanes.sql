-- Time that is taken in a further lane is nobody else's without an override, even when lane 0 has come free beneath it. Bookings look
-- here for every claim; there is next to nothing to look through.
CREATE INDEX claim_in_further_lanes ON scheduling.claim (organization_id, schedule_id) WHERE lane > 0;
