-- An exported entry is a line of its file, byte for byte.
ALTER TABLE kernel.audit_entry ADD CONSTRAINT audit_entry_is_one_line CHECK (position(E'\n' IN body) = 0);
