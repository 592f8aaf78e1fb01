-- Nobody comes in without proving who they are, in a made-up hospital either.
ALTER TABLE access.session DROP CONSTRAINT session_method_check;
ALTER TABLE access.session ADD CHECK (method IN ('oidc', 'otp', 'passkey'));
