-- Whoever watches reads what is new of every organization, in the order of the log.
CREATE INDEX event_by_number ON audit.event (number);
