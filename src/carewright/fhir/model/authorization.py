"""Where and how a token for FHIR is had (https://hl7.org/fhir/smart-app-launch/conformance.html): the same said in two places."""

from typing import Any

from carewright.contracts.fhir.basics import Resource
from carewright.contracts.smart import APP_WORDS, FHIR_PATH, TYPES

WELL_KNOWN = "/.well-known/smart-configuration"
CAPABILITIES = (
    "launch-standalone", "client-public", "client-confidential-asymmetric", "context-standalone-patient", "permission-offline",
    "permission-online", "permission-patient", "permission-v1", "permission-v2", "authorize-post",
)  # fmt: skip
TOKEN, AUTHORIZE = "/oauth/token", "/apps/authorize"
OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
SECURITY_SERVICE = {"system": "http://terminology.hl7.org/CodeSystem/restful-security-service", "code": "SMART-on-FHIR"}


def smart_configuration(base: str) -> dict[str, Any]:
    """The document at `WELL_KNOWN`, for a server whose FHIR base is `base`."""
    return {
        "authorization_endpoint": _beside(base, AUTHORIZE),
        "token_endpoint": _beside(base, TOKEN),
        "token_endpoint_auth_methods_supported": ["none", "private_key_jwt"],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": [
            *sorted(APP_WORDS),
            *(f"{where}/{kind}.rs" for where in ("patient", "system") for kind in ("*", *sorted(TYPES))),
        ],
        "capabilities": list(CAPABILITIES),
    }


def security(base: str) -> Resource:
    """CapabilityStatement.rest.security."""
    uris = [{"url": "token", "valueUri": _beside(base, TOKEN)}, {"url": "authorize", "valueUri": _beside(base, AUTHORIZE)}]
    return {"extension": [{"url": OAUTH_URIS, "extension": uris}], "service": [{"coding": [SECURITY_SERVICE]}]}


def _beside(base: str, path: str) -> str:
    return base.removesuffix(FHIR_PATH) + path
