"""AWS Signature Version 4 by AWS's own vectors: awslabs/aws-c-auth, tests/aws-signing-test-suite/v4."""

import hashlib
from datetime import UTC, datetime
from pathlib import Path

import pytest

from carewright.kernel.sigv4 import AwsCredentials, NoCredentials, Target, credentials_in, encoded, signed

KEY_ID, SECRET = "AKIDEXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
SESSION = (
    "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQr"
    "mGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scq"
    "Kmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA=="
)
AT = datetime(2015, 8, 30, 12, 36, tzinfo=UTC)
BODY = b"Param1=value1"
BODY_HASH = {"Content-Length": "13", "X-Amz-Content-Sha256": "9095672bbd1f56dfc5b65f3e153adc8731a4a654192329106275f4c7b24d0b6e"}
FORM = "application/x-www-form-urlencoded"
VECTORS = {
    "post-vanilla": ({}, b"", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"),
    "post-header-key-sort": ({"My-Header1": "value1"}, b"", "", "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"),
    "post-header-value-case": ({"My-Header1": "VALUE1"}, b"", "", "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"),
    "post-sts-header-before": ({}, b"", SESSION, "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"),
    "post-x-www-form-urlencoded": (
        {"Content-Type": FORM} | BODY_HASH, BODY, "", "d3875051da38690788ef43de4db0d8f280229d82040bfac253562e56c3f20e0b",
    ),
    "post-x-www-form-urlencoded-parameters": (
        {"Content-Type": f"{FORM}; charset=utf-8"} | BODY_HASH, BODY, "",
        "328d1b9eaadca9f5818ef05e8392801e091653bafec24fcab71e7344e7f51422",
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", VECTORS)
def test_a_request_is_signed_as_aws_signs_it(name: str) -> None:
    headers, body, session, signature = VECTORS[name]
    credentials = AwsCredentials(KEY_ID, SECRET, session)
    made = signed(credentials, "us-east-1", "service", AT, {"Host": "example.amazonaws.com"} | headers, body)
    assert made["authorization"].endswith(f"Signature={signature}")
    assert made["authorization"].startswith(f"AWS4-HMAC-SHA256 Credential={KEY_ID}/20150830/us-east-1/service/aws4_request, SignedHeaders=")
    assert made.get("x-amz-security-token", "") == session


@pytest.mark.parametrize(
    ("method", "path", "query", "headers", "body", "signature"),
    [
        ("GET", "/test.txt", "", {"Range": "bytes=0-9"}, b"", "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41"),
        (
            "PUT", "/test$file.text", "", {"Date": "Fri, 24 May 2013 00:00:00 GMT", "x-amz-storage-class": "REDUCED_REDUNDANCY"},
            b"Welcome to Amazon S3.", "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd",
        ),
        ("GET", "/", "lifecycle=", {}, b"", "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543"),
        ("GET", "/", "max-keys=2&prefix=J", {}, b"", "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7"),
    ],
    ids=["get", "put", "lifecycle", "list"],
)  # fmt: skip
def test_the_examples_of_the_s3_reference_get_its_signatures(
    method: str, path: str, query: str, headers: dict[str, str], body: bytes, signature: str
) -> None:
    by = AwsCredentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    given = {"Host": "examplebucket.s3.amazonaws.com", "x-amz-content-sha256": hashlib.sha256(body).hexdigest()} | headers
    at = datetime(2013, 5, 24, tzinfo=UTC)
    made = signed(by, "us-east-1", "s3", at, given, body, Target(method, encoded(path, "/"), query))
    assert made["authorization"].endswith(f"Signature={signature}")


def test_credentials_come_from_the_environment_or_the_file_that_it_names(tmp_path: Path) -> None:
    file = tmp_path / "credentials"
    file.write_text(
        "[other]\naws_access_key_id = no\n[default]\naws_access_key_id = a\naws_secret_access_key = b%c\naws_session_token = d\n"
    )
    assert credentials_in({"AWS_SHARED_CREDENTIALS_FILE": str(file)}) == AwsCredentials("a", "b%c", "d")
    assert credentials_in({"AWS_ACCESS_KEY_ID": "a", "AWS_SECRET_ACCESS_KEY": "b"}) == AwsCredentials("a", "b")
    assert credentials_in({}) is None


@pytest.mark.parametrize("content", [None, "", "[default]\naws_access_key_id = a\n", "no file of that kind", "\xff"])
def test_where_credentials_should_be_and_are_not_that_is_said(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "credentials"
    if content is not None:
        file.write_bytes(content.encode("latin-1"))
    with pytest.raises(NoCredentials):
        credentials_in({"AWS_SHARED_CREDENTIALS_FILE": str(file)})
    with pytest.raises(NoCredentials):
        credentials_in({"AWS_ACCESS_KEY_ID": "a"})


def test_credentials_show_nothing_that_is_secret() -> None:
    shown = repr(AwsCredentials(KEY_ID, SECRET, SESSION))
    assert KEY_ID in shown
    assert SECRET not in shown
    assert SESSION not in shown
