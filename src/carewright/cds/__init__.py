"""CDS Hooks rim: other systems ask what we know about an appointment that they are about to book (https://cds-hooks.hl7.org/2.0/).

Owns: the service for the hook `appointment-book`, its cards and the rules that make them.
Tables: none.
Invariants: a client signs every request, and is told no more than it may read; a card says what a use case of another module said a
moment ago; whatever is refused is an OperationOutcome with a stable code.
Must never: book, follow `fhirServer` or an address in a request, or keep what a request says.
"""
