"""A made-up clearing-house with one payer behind it: X12 270/271 and 278 over HTTP, as CAQH CORE vC2.2.0 has it, and Da Vinci PAS."""
