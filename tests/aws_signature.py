"""AWS Signature Version 4 by an own reading of its rules, for stand-ins that check it: nothing of the code under test is in it."""

import hashlib
import hmac
from collections.abc import Sequence


def signature(secret: str, stamp: str, scope: str, canonical: Sequence[str]) -> str:
    """What a request must be signed with: `canonical` are its lines, `scope` is `day/region/service/aws4_request`."""
    hashed = hashlib.sha256("\n".join(canonical).encode()).hexdigest()
    key = f"AWS4{secret}".encode()
    for part in (*scope.split("/"), f"AWS4-HMAC-SHA256\n{stamp}\n{scope}\n{hashed}"):
        key = hmac.new(key, part.encode(), hashlib.sha256).digest()
    return key.hex()
