"""HL7 v2's use cases: receive a message, apply it, look at what did not fit, and try that again."""
