"""HL7 v2 over HTTP: messages in, and the work list by our API."""
