-- From when on the overview of a site names something to look at.
ALTER TABLE flow.site ADD COLUMN full_percent int NOT NULL DEFAULT 95 CHECK (full_percent BETWEEN 50 AND 100);
ALTER TABLE flow.site ADD COLUMN long_minutes int NOT NULL DEFAULT 60 CHECK (long_minutes BETWEEN 5 AND 1440);
