"""The directory: who and what can be booked, and what a visit needs.

Owns: Organization, Location (site, building, room, bed, lab bench), Practitioner (nurses and technicians too), PractitionerRole, Device,
HealthcareService and visit types, and the identifiers by which other systems know them.
Tables: schema `directory` (organization, location, practitioner, practitioner_role, device, healthcare_service, visit_type, identifier).
Invariants: every reference leads to an entry of the right kind; an identifier names one entry of a type; an id never becomes something
else; an entry's version rises exactly when what it says, or what its event carries, changes.
Must never: know a calendar or an appointment, or delete an entry (it becomes inactive).
"""
