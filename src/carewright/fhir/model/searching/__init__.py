"""FHIR R4 search (http://hl7.org/fhir/R4/search.html) over resources as plain JSON values: pure, without a clock and without I/O.

A rim asks in this order. `parsing.parse` reads what a client asked into a `Search`; `narrowing.narrowing` tells what a use case may
push down; `chaining.chains` gives the searches that must be answered first, and `chaining.resolved` puts their answers in;
`deciding.matches` decides each candidate; `ordering.order` and `paging.page` make the page; `including` tells what belongs to it;
`paging.links` makes the links.
"""
