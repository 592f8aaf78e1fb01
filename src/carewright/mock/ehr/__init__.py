"""An electronic health record (EHR) that is nobody's: one server, whose habits are a value (`profile.Profile`)."""
