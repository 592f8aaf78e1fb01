-- Who closed a review is named as in the audit log: not everybody who may has an account here.
ALTER TABLE access.break_glass DROP COLUMN closed_by;
ALTER TABLE access.break_glass ADD COLUMN closed_by text CHECK (length(closed_by) BETWEEN 1 AND 200);
ALTER TABLE access.break_glass ADD CHECK (num_nulls(closed_at, closed_by, outcome, finding) IN (0, 4));
