"""Where and how a token for FHIR is had (https://hl7.org/fhir/smart-app-launch/conformance.html): the same said in two places."""

from typing import Any

from carewright.contracts.fhir.basics import Resource
from carewright.contracts.smart import TYPES

PATH = "/fhir/R4"
"""What the FHIR base adds to the public address; sign-in is beside it."""
WELL_KNOWN = "/.well-known/smart-configuration"
CAPABILITIES = ("client-confidential-asymmetric", "permission-v1", "permission-v2")
OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
SECURITY_SERVICE = {"system": "http://terminology.hl7.org/CodeSystem/restful-security-service", "code": "SMART-on-FHIR"}


def smart_configuration(base: str) -> dict[str, Any]:
    """The document at `WELL_KNOWN`, for a server whose FHIR base is `base`."""
    return {
        "token_endpoint": _token_endpoint(base),
        "token_endpoint_auth_methods_supported": ["private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "grant_types_supported": ["client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": ["system/*.rs", *(f"system/{kind}.rs" for kind in sorted(TYPES))],
        "capabilities": list(CAPABILITIES),
    }


def security(base: str) -> Resource:
    """CapabilityStatement.rest.security."""
    uris = [{"url": "token", "valueUri": _token_endpoint(base)}]
    return {"extension": [{"url": OAUTH_URIS, "extension": uris}], "service": [{"coding": [SECURITY_SERVICE]}]}


def _token_endpoint(base: str) -> str:
    return base.removesuffix(PATH) + "/oauth/token"
