-- What messages to a partner are for (MSH-11, table 0103): production, training, or debugging, while it is being set up.
ALTER TABLE hl7.partner ADD COLUMN processing text NOT NULL DEFAULT 'P' CHECK (processing IN ('P', 'T', 'D'));
