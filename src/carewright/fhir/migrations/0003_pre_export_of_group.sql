-- Of which group's patients an export is; who they are is asked whenever a file is made.
ALTER TABLE fhir.export ADD COLUMN group_id uuid;
