"""The published language between modules: values, commands, codes, errors, events and Protocols. No I/O, no clock."""
