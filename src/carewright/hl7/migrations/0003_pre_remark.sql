-- Why somebody took a message off the work list, sealed for its row.
ALTER TABLE hl7.message ADD COLUMN remark bytea;
