"""CDS Hooks rim: advice about an appointment that is about to be booked, given to other systems and asked of them.

Source: https://cds-hooks.hl7.org/2.0/, hook `appointment-book`.
Owns: the service for that hook with its cards and the rules that make them; which services of others are asked, and our keys there.
Tables: schema `cds` (service).
Invariants: a client signs every request, and is told no more than it may read; a card says what a use case of another module said a
moment ago; whatever is refused is an OperationOutcome with a stable code. A service of others is sent what it asks for of what the
person who asks may see, and no more; whoever it is told of is in the journal first; whatever it answers or does not, nobody waits long.
Must never: book, follow `fhirServer` or an address in a request or an answer, keep what either says, or do what a card proposes.
"""
