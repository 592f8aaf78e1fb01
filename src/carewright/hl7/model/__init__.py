"""What HL7 v2 messages are: read, written, split and framed without I/O.

Sources: HL7 v2.8.2 chapter 2 (control), and the MLLP transport specification, release 1.
"""
