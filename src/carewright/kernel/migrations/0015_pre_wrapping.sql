-- Which key wraps the organizations' keys, once it was changed: a process that has not heard of it yet must wrap nothing more under the
-- old one. It is the installation's, not a tenant's.
CREATE TABLE kernel.wrapping (
    id     boolean PRIMARY KEY DEFAULT true CHECK (id),
    kek_id text    NOT NULL
);
