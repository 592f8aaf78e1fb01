"""A patch applied to a resource as it is shown (https://hl7.org/fhir/R4/http.html#patch)."""

from typing import Any

from carewright.contracts.fhir.basics import Resource
from carewright.fhir.model import patching
from carewright.fhir.model.path_patching import patched_by_paths
from carewright.fhir.store import r4_definitions


def patched(resource: Resource, patch: Any) -> Resource:
    """The resource after a JSON Patch (a list) or a FHIRPath Patch (a Parameters). Raises what `patching` says."""
    if isinstance(patch, list):
        made: Resource = patching.patched(resource, patch)
        return made
    return patched_by_paths(r4_definitions(), resource, patch)
