"""Read each resource by fhirclient's models of R4, strictly, and write it again. Tells what was wrong, or came back changed."""

import json
import sys
from typing import Any

from fhirclient.models.fhirabstractbase import FHIRValidationError
from fhirclient.models.fhirelementfactory import FHIRElementFactory


def complaint(resource: dict[str, Any]) -> str | None:
    """What the models say against it."""
    try:
        again = FHIRElementFactory.instantiate(resource["resourceType"], resource).as_json()
    except FHIRValidationError as wrong:
        return str(wrong)
    return None if again == resource else "came back changed"


resources = json.load(sys.stdin)
complaints = [[each["resourceType"], each.get("id"), said] for each in resources if (said := complaint(each))]
json.dump({"read": len(resources), "complaints": complaints}, sys.stdout)
