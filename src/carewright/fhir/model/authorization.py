"""Where and how a token for FHIR is had (https://hl7.org/fhir/smart-app-launch/conformance.html): the same said in two places."""

from typing import Any

from carewright.contracts import smart
from carewright.contracts.clients import BEARER
from carewright.contracts.fhir.basics import Resource

WELL_KNOWN = "/.well-known/smart-configuration"
CAPABILITIES = (
    "launch-ehr", "launch-standalone", "client-public", "client-confidential-asymmetric", "context-ehr-patient", "context-ehr-encounter",
    "context-banner", "context-standalone-patient", "permission-offline", "permission-online", "permission-patient", "permission-user",
    "permission-v1", "permission-v2", "authorize-post", "sso-openid-connect",
)  # fmt: skip
BY_KEY = ("private_key_jwt",)
OAUTH_URIS = "http://fhir-registry.smarthealthit.org/StructureDefinition/oauth-uris"
URIS = {
    "token": smart.TOKEN_PATH, "authorize": smart.AUTHORIZE_PATH, "manage": smart.MANAGE_PATH,
    "introspect": smart.INTROSPECT_PATH, "revoke": smart.REVOKE_PATH,
}  # fmt: skip
"""The extension's names for what is where."""
SECURITY_SERVICE = {"system": "http://terminology.hl7.org/CodeSystem/restful-security-service", "code": "SMART-on-FHIR"}


def smart_configuration(base: str) -> dict[str, Any]:
    """The document at `WELL_KNOWN`, for a server whose FHIR base is `base`."""
    return {
        "issuer": _beside(base, smart.ISSUER_PATH),
        "jwks_uri": _beside(base, smart.KEYS_PATH),
        "authorization_endpoint": _beside(base, smart.AUTHORIZE_PATH),
        "token_endpoint": _beside(base, smart.TOKEN_PATH),
        "introspection_endpoint": _beside(base, smart.INTROSPECT_PATH),
        "revocation_endpoint": _beside(base, smart.REVOKE_PATH),
        "management_endpoint": _beside(base, smart.MANAGE_PATH),
        "token_endpoint_auth_methods_supported": ["none", *BY_KEY],
        "introspection_endpoint_auth_methods_supported": [*BY_KEY, BEARER],
        "revocation_endpoint_auth_methods_supported": ["none", *BY_KEY],
        "token_endpoint_auth_signing_alg_values_supported": ["RS384", "ES384"],
        "response_types_supported": ["code"],
        "grant_types_supported": ["authorization_code", "refresh_token", "client_credentials"],
        "code_challenge_methods_supported": ["S256"],
        "scopes_supported": [
            *sorted(smart.APP_WORDS),
            *(f"{where}/{kind}.rs" for where in ("patient", "user", "system") for kind in ("*", *sorted(smart.TYPES))),
        ],
        "capabilities": list(CAPABILITIES),
    }


def security(base: str) -> Resource:
    """CapabilityStatement.rest.security."""
    uris = [{"url": name, "valueUri": _beside(base, path)} for name, path in URIS.items()]
    return {"extension": [{"url": OAUTH_URIS, "extension": uris}], "service": [{"coding": [SECURITY_SERVICE]}]}


def _beside(base: str, path: str) -> str:
    return base.removesuffix(smart.FHIR_PATH) + path
