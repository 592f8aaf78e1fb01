-- Whom a patient lets act for them: what FHIR has as RelatedPerson with a Consent. The proxy is somebody with a record and an account of
-- their own; until they accept, `code_hash` (SHA-256) says by which code they may.
CREATE TABLE access.consent (
    organization_id  uuid        NOT NULL,
    id               uuid        NOT NULL,
    patient_id       uuid        NOT NULL,
    proxy_patient_id uuid        CHECK (proxy_patient_id <> patient_id),
    relationship     text        NOT NULL CHECK (relationship IN ('parent', 'guardian', 'spouse', 'child', 'carer', 'other')),
    scope            text        NOT NULL CHECK (scope IN ('see', 'book')),
    proof            text        NOT NULL CHECK (proof IN ('portal', 'identity-document', 'court-order', 'power-of-attorney', 'signed-form')),
    starts_at        timestamptz NOT NULL,
    ends_at          timestamptz NOT NULL CHECK (ends_at > starts_at AND ends_at <= starts_at + interval '5 years 1 day'),
    given_at         timestamptz NOT NULL,
    given_by         text        NOT NULL CHECK (length(given_by) BETWEEN 1 AND 200),
    code_hash        bytea       CHECK (length(code_hash) = 32),
    code_until       timestamptz,
    accepted_at      timestamptz,
    withdrawn_at     timestamptz,
    withdrawn_by     text        CHECK (length(withdrawn_by) BETWEEN 1 AND 200),
    PRIMARY KEY (organization_id, id),
    CHECK ((accepted_at IS NULL) = (proxy_patient_id IS NULL)),
    CHECK ((code_hash IS NULL) = (code_until IS NULL)),
    CHECK (accepted_at IS NULL OR code_hash IS NULL),
    CHECK ((withdrawn_at IS NULL) = (withdrawn_by IS NULL))
);
CREATE INDEX consent_of_patient ON access.consent (organization_id, patient_id);
CREATE INDEX consent_of_proxy ON access.consent (organization_id, proxy_patient_id) WHERE proxy_patient_id IS NOT NULL;
CREATE UNIQUE INDEX consent_by_code ON access.consent (organization_id, code_hash) WHERE code_hash IS NOT NULL;

-- By which consent a session acts for somebody else; null for those in one's own name.
ALTER TABLE access.session ADD COLUMN consent_id uuid;
ALTER TABLE access.session ADD FOREIGN KEY (organization_id, consent_id) REFERENCES access.consent;
