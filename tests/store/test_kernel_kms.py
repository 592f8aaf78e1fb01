"""Keys that stay in AWS or Google Cloud: wrapped and unwrapped over HTTP, with credentials that end, faults, and services that are busy."""

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from joserfc.jwk import RSAKey

from carewright.kernel.clock import ManualClock
from carewright.kernel.errors import Unavailable
from carewright.kernel.http.outgoing import Outgoing
from carewright.kernel.privacy import asking
from carewright.kernel.privacy.kek import KeyPlace, KeyRefused, KeyService, KeysUnavailable, WrongKey
from carewright.kernel.privacy.services import key_service
from carewright.kernel.privacy.settings import PrivacySettings
from carewright.kernel.privacy.vault import Vault
from carewright.kernel.restraints import Restraint, Restraints
from carewright.kernel.settings import StartFailed
from tests.key_services import AWS_ALIAS, AWS_KEY, GCP_KEY, ROLE, Aws, Gcp, kms_fault, serving, sts_fault
from tests.key_services import json as said
from tests.samples import known_id
from tests.servers import Contexts

HERE = KeyPlace(known_id(1), "field", 1)
ELSEWHERE = (KeyPlace(known_id(2), "field", 1), KeyPlace(known_id(1), "index", 1), KeyPlace(known_id(1), "field", 2))
FIXED = {"AWS_ACCESS_KEY_ID": "AKIDFIXED", "AWS_SECRET_ACCESS_KEY": "fixed-secret"}
PLACE = ("exam.person", "name", "row")


@pytest.fixture
def aws(clock: ManualClock) -> Iterator[tuple[Aws, PrivacySettings]]:
    service = Aws(clock.now)
    with serving(service) as url:
        yield service, PrivacySettings(key_service="aws-kms", kms_key=AWS_KEY, kms_url=url, kms_credentials_url=url)


@pytest.fixture
def gcp(clock: ManualClock) -> Iterator[tuple[Gcp, PrivacySettings]]:
    service = Gcp(clock.now)
    with serving(service) as service.url:
        yield service, PrivacySettings(key_service="gcp-kms", kms_key=GCP_KEY, kms_url=service.url, kms_credentials_url=service.url)


@pytest.fixture
def at(clock: ManualClock, monkeypatch: pytest.MonkeyPatch) -> Callable[..., KeyService]:
    """The key service of some settings, in an environment. Between tries nobody waits."""
    monkeypatch.setattr(asking, "PAUSE_SECONDS", 0.0)

    def made(settings: PrivacySettings, restraints: Restraints | None = None, **environ: str) -> KeyService:
        reach = Outgoing([settings.kms_url] if settings.kms_url else (), restraints=restraints).reaching
        return key_service(settings, Path("no-key-file"), clock, reach, environ)

    return made


def web_identity(folder: Path, says: str = "web-identity") -> dict[str, str]:
    (folder / "identity").write_text(says + "\n")
    return {"AWS_WEB_IDENTITY_TOKEN_FILE": str(folder / "identity"), "AWS_ROLE_ARN": ROLE}


async def refusal(service: KeyService) -> str:
    """Why a key service refuses."""
    with pytest.raises(KeyRefused) as refused:
        await service.wrap(b"key", HERE)
    return str(refused.value.facts["reason"])


async def test_aws_wraps_and_unwraps_for_one_organization_purpose_and_version(
    aws: tuple[Aws, PrivacySettings], at: Callable[..., KeyService]
) -> None:
    there, settings = aws
    service = at(settings, **FIXED)
    wrapped = await service.wrap(b"key", HERE)
    assert b"key" not in wrapped
    assert await service.unwrap(wrapped, HERE) == b"key"
    assert there.contexts == [{"organization": str(known_id(1)), "purpose": "field", "version": "1"}] * 2, (
        "CloudTrail shows whose key it was"
    )
    for place in ELSEWHERE:
        with pytest.raises(WrongKey):
            await service.unwrap(wrapped, place)
    assert await at(replace(settings, kms_key=AWS_ALIAS), **FIXED).unwrap(wrapped, HERE) == b"key"


async def test_google_wraps_and_unwraps_for_one_organization_purpose_and_version(
    gcp: tuple[Gcp, PrivacySettings], at: Callable[..., KeyService]
) -> None:
    _, settings = gcp
    service = at(settings)
    wrapped = await service.wrap(b"key", HERE)
    assert b"key" not in wrapped
    assert await service.unwrap(wrapped, HERE) == b"key"
    for place in ELSEWHERE:
        with pytest.raises(WrongKey):
            await service.unwrap(wrapped, place)


async def test_fixed_credentials_of_aws_come_from_the_environment_or_a_file_that_may_be_renewed(
    aws: tuple[Aws, PrivacySettings], at: Callable[..., KeyService], tmp_path: Path
) -> None:
    there, settings = aws
    file = tmp_path / "credentials"
    file.write_text("[default]\naws_access_key_id = AKIDFIXED\naws_secret_access_key = fixed-secret\n")
    service = at(settings, AWS_SHARED_CREDENTIALS_FILE=str(file))
    wrapped = await service.wrap(b"key", HERE)
    there.known = {"AKIDNEXT": ("next%secret", "a-session", None)}
    assert await refusal(service) == "credentials"
    file.write_text("[care]\naws_access_key_id=AKIDNEXT\naws_secret_access_key=next%secret\naws_session_token=a-session\n")
    assert await refusal(service) == "credentials", "another profile's"
    assert await at(settings, AWS_SHARED_CREDENTIALS_FILE=str(file), AWS_PROFILE="care").unwrap(wrapped, HERE) == b"key"
    for environ in (
        FIXED | {"AWS_ACCESS_KEY_ID": "AKIDNEXT"},
        {"AWS_ACCESS_KEY_ID": "AKIDNEXT"},
        {"AWS_SHARED_CREDENTIALS_FILE": str(tmp_path / "none")},
        {},
    ):
        assert await refusal(at(settings, **environ)) == "credentials"


async def test_a_role_is_taken_by_web_identity_and_renewed_before_it_ends(
    aws: tuple[Aws, PrivacySettings], at: Callable[..., KeyService], clock: ManualClock, tmp_path: Path
) -> None:
    there, settings = aws
    there.tokens = {"web-identity"}
    service = at(settings, **web_identity(tmp_path))
    wrapped = await service.wrap(b"key", HERE)
    assert await service.unwrap(wrapped, HERE) == b"key"
    assert there.sts_faults.asked == 1
    clock.advance(minutes=56)
    there.tokens = {"the next one"}
    web_identity(tmp_path, "the next one")
    assert await service.unwrap(wrapped, HERE) == b"key"
    assert there.sts_faults.asked == 2, "before its hour is over"
    clock.advance(minutes=56)
    there.sts_faults.answers = [sts_fault("ServiceUnavailable", 503)] * asking.TRIES
    assert await service.unwrap(wrapped, HERE) == b"key", "what is still good serves"
    there.tokens = set()
    assert await service.unwrap(wrapped, HERE) == b"key", "refused or not"
    clock.advance(minutes=5)
    assert await refusal(service) == "credentials"
    there.tokens = {"the next one"}
    there.sts_faults.answers = [sts_fault("ServiceUnavailable", 503)] * asking.TRIES
    with pytest.raises(KeysUnavailable):
        await service.unwrap(wrapped, HERE)
    assert await service.unwrap(wrapped, HERE) == b"key"


async def test_a_role_that_ended_before_its_time_is_taken_again_at_once(
    aws: tuple[Aws, PrivacySettings], at: Callable[..., KeyService], tmp_path: Path, clock: ManualClock
) -> None:
    there, settings = aws
    there.tokens = {"web-identity"}
    service = at(settings, **web_identity(tmp_path))
    wrapped = await service.wrap(b"key", HERE)
    there.known = {name: (secret, session, clock.now()) for name, (secret, session, _) in there.known.items()}
    assert await service.unwrap(wrapped, HERE) == b"key"
    assert there.sts_faults.asked == 2


async def test_a_web_identity_that_is_not_taken_is_told_apart(
    aws: tuple[Aws, PrivacySettings], at: Callable[..., KeyService], tmp_path: Path
) -> None:
    there, settings = aws
    environ = web_identity(tmp_path)
    assert await refusal(at(settings, **environ)) == "credentials"
    there.tokens = {"web-identity"}
    assert await refusal(at(settings, **environ | {"AWS_ROLE_ARN": "arn:aws:iam::111122223333:role/other"})) == "denied"
    assert await refusal(at(settings, **environ | {"AWS_WEB_IDENTITY_TOKEN_FILE": str(tmp_path / "none")})) == "credentials"


async def test_googles_tokens_come_from_the_machine_or_for_a_service_account_and_are_renewed_before_they_end(
    gcp: tuple[Gcp, PrivacySettings], at: Callable[..., KeyService], clock: ManualClock, tmp_path: Path
) -> None:
    there, settings = gcp
    (tmp_path / "account.json").write_bytes(there.account_file())
    for environ in ({}, {"GOOGLE_APPLICATION_CREDENTIALS": str(tmp_path / "account.json")}):
        there.token_faults.asked = 0
        service = at(settings, **environ)
        wrapped = await service.wrap(b"key", HERE)
        assert await service.unwrap(wrapped, HERE) == b"key"
        assert there.token_faults.asked == 1
        clock.advance(minutes=56)
        assert await service.unwrap(wrapped, HERE) == b"key"
        assert there.token_faults.asked == 2
        there.tokens.clear()
        assert await service.unwrap(wrapped, HERE) == b"key", "it ended before its time"


async def test_an_account_file_that_is_not_taken_is_credentials(
    gcp: tuple[Gcp, PrivacySettings], at: Callable[..., KeyService], tmp_path: Path
) -> None:
    there, settings = gcp
    file = tmp_path / "account.json"
    right = json.loads(there.account_file())
    other = RSAKey.generate_key(2048, private=True).as_pem(private=True).decode()
    for content in (
        "{}",
        "no JSON",
        *(json.dumps(right | change) for change in ({"private_key": other}, {"private_key": "x"}, {"client_email": "a"})),
    ):
        file.write_text(content)
        assert await refusal(at(settings, GOOGLE_APPLICATION_CREDENTIALS=str(file))) == "credentials", content[:60]
    assert await refusal(at(settings, GOOGLE_APPLICATION_CREDENTIALS=str(tmp_path / "none"))) == "credentials"


async def test_each_refusal_says_what_to_do_next(
    aws: tuple[Aws, PrivacySettings], gcp: tuple[Gcp, PrivacySettings], at: Callable[..., KeyService]
) -> None:
    aws[0].key = gcp[0].key
    other_aws = at(replace(aws[1], kms_key=AWS_KEY[:-1] + "1"), **FIXED)
    other_gcp = at(replace(gcp[1], kms_key=GCP_KEY + "2"))
    assert [await refusal(other_aws), await refusal(other_gcp)] == ["missing", "missing"]
    services = (at(aws[1], **FIXED), at(gcp[1]))
    for states, reason in ((("disabled", "DISABLED"), "disabled"), (("PendingDeletion", "DESTROY_SCHEDULED"), "disabled")):
        aws[0].faults.state, gcp[0].faults.state = states
        assert [await refusal(service) for service in services] == [reason, reason]
    aws[0].faults.denied = gcp[0].faults.denied = True
    assert [await refusal(service) for service in services] == ["denied", "denied"]
    aws[0].faults.answers = [kms_fault("InvalidKeyUsageException")]
    gcp[0].faults.answers = [said(400, {"error": {"code": 400, "status": "INVALID_ARGUMENT", "message": "purpose"}})]
    assert [await refusal(service) for service in services] == ["unusable", "unusable"]


async def test_a_service_that_is_busy_is_asked_again_and_no_further_than_it_makes_sense(
    aws: tuple[Aws, PrivacySettings], gcp: tuple[Gcp, PrivacySettings], at: Callable[..., KeyService]
) -> None:
    busy_aws = [kms_fault("ThrottlingException"), kms_fault("KMSInternalException", 500), (503, "text/html", b"<html>")]
    busy_gcp = [said(429, {"error": {"status": "RESOURCE_EXHAUSTED"}}), said(503, {"error": {"status": "UNAVAILABLE"}}), (502, "", b"")]
    for service, faults, busy in ((at(aws[1], **FIXED), aws[0].faults, busy_aws), (at(gcp[1]), gcp[0].faults, busy_gcp)):
        faults.answers = list(busy)
        assert await service.unwrap(await service.wrap(b"key", HERE), HERE) == b"key"
        assert faults.asked == len(busy) + 2
        faults.asked, faults.answers = 0, busy * 4
        with pytest.raises(KeysUnavailable):
            await service.wrap(b"key", HERE)
        assert faults.asked == asking.TRIES
        faults.answers = [(200, "application/json", b"no JSON")]
        with pytest.raises(KeysUnavailable):
            await service.wrap(b"key", HERE)


async def test_a_request_whose_signature_or_time_is_wrong_is_refused(
    aws: tuple[Aws, PrivacySettings], at: Callable[..., KeyService], clock: ManualClock
) -> None:
    there, settings = aws
    service = at(settings, **FIXED)
    assert await refusal(at(settings, **FIXED | {"AWS_SECRET_ACCESS_KEY": "another"})) == "credentials"
    there.now = lambda: clock.now() + timedelta(hours=1)
    assert await refusal(service) == "credentials"


async def test_key_services_are_asked_through_the_guard(
    aws: tuple[Aws, PrivacySettings], gcp: tuple[Gcp, PrivacySettings], at: Callable[..., KeyService]
) -> None:
    restraints = Restraints()
    services = [at(aws[1], restraints, **FIXED), at(gcp[1], restraints)]
    for service in services:
        await service.wrap(b"key", HERE)
    held = Restraint(organization_id=known_id(1), id=known_id(2), kind="peer", name="127.0.0.1", since=gcp[0].now())
    restraints.take([held])
    assert [await refusal(service) for service in services] == ["address", "address"]


async def test_fields_are_sealed_under_a_key_in_a_cloud_and_a_start_says_what_is_wrong_with_it(
    aws: tuple[Aws, PrivacySettings], gcp: tuple[Gcp, PrivacySettings], at: Callable[..., KeyService], context: Contexts, clock: ManualClock
) -> None:
    for there, settings, environ in ((aws[0], aws[1], FIXED), (gcp[0], gcp[1], {})):
        ctx = await context("patients", role="front-desk", organization_id=context.ids.new())
        organization_id = ctx.actor.organization_id
        running, other = Vault(at(settings, **environ), clock, 1), Vault(at(settings, **environ), clock, 1)
        sealed = (await running.of(ctx.db, organization_id)).seal(*PLACE, b"Anna")
        assert (await other.of(ctx.db, organization_id)).open_(*PLACE, sealed) == b"Anna"
        await other.ensure_opens(ctx.db)

        for state in ("disabled", "PendingDeletion"):
            there.faults.state = state
            with pytest.raises(StartFailed, match=r"enable it.*key-missing\.md"):
                await Vault(at(settings, **environ), clock, 1).ensure_opens(ctx.db)
        clock.advance(seconds=2)
        with pytest.raises(KeyRefused):
            await running.of(ctx.db, organization_id)
        there.faults.state = "enabled"

        clock.advance(seconds=2)
        there.faults.answers = [(503, "", b"")] * 50
        with pytest.raises(StartFailed, match="does not answer"):
            await Vault(at(settings, **environ), clock, 1).ensure_opens(ctx.db)
        there.faults.answers = [(503, "", b"")] * 50
        assert (await running.of(ctx.db, organization_id)).open_(*PLACE, sealed) == b"Anna", "a process that has the keys goes on"
        there.faults.answers = [(503, "", b"")] * 50
        with pytest.raises(Unavailable):
            await Vault(at(settings, **environ), clock, 1).of(ctx.db, organization_id)
        there.faults.answers = []

        there.key = Aws(clock.now).key
        with pytest.raises(StartFailed, match="does not open the stored keys"):
            await Vault(at(settings, **environ), clock, 1).ensure_opens(ctx.db)


async def test_an_empty_database_starts_only_where_the_key_opens_what_it_wraps(
    aws: tuple[Aws, PrivacySettings], at: Callable[..., KeyService], context: Contexts, clock: ManualClock
) -> None:
    ctx = await context("patients", organization_id=context.ids.new())
    await Vault(at(aws[1], **FIXED), clock, 1).ensure_opens(ctx.db)
    aws[0].faults.denied = True
    with pytest.raises(StartFailed, match="may not use the key"):
        await Vault(at(aws[1], **FIXED), clock, 1).ensure_opens(ctx.db)
