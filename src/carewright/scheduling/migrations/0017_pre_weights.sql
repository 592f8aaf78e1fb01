-- What a plan of a site weighs against what: minutes of care, or parts of them. docs/concepts/planning.md says what each stands for.
ALTER TABLE scheduling.site ADD COLUMN weight_use double precision NOT NULL DEFAULT 0.4 CHECK (weight_use BETWEEN 0 AND 2);
ALTER TABLE scheduling.site ADD COLUMN weight_serve double precision NOT NULL DEFAULT 0.4 CHECK (weight_serve BETWEEN 0 AND 2);
ALTER TABLE scheduling.site ADD COLUMN weight_absence double precision NOT NULL DEFAULT 0.2 CHECK (weight_absence BETWEEN 0 AND 1);
ALTER TABLE scheduling.site ADD COLUMN weight_move double precision NOT NULL DEFAULT 15 CHECK (weight_move BETWEEN 0 AND 120);
ALTER TABLE scheduling.site ADD COLUMN weight_drop double precision NOT NULL DEFAULT 60 CHECK (weight_drop BETWEEN 0 AND 480);
ALTER TABLE scheduling.site ADD COLUMN weight_split double precision NOT NULL DEFAULT 1 CHECK (weight_split BETWEEN 0 AND 30);
