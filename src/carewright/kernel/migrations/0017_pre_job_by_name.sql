-- A worker asks for its own kinds of jobs, and thousands of another kind may be due before them.
CREATE INDEX job_due_by_name ON kernel.job (name, run_at) WHERE NOT failed;
DROP INDEX kernel.job_due;
