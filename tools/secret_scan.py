"""No secret is in the tree: every tracked file goes through the detectors of detect-secrets, or the check fails and says where.

Example: .venv/bin/python tools/secret_scan.py

What only looks like a secret stands in `.secrets.baseline`, one line each: path, detector, hash (as detect-secrets makes it), reason.
A line that nothing matches any more fails too, so that the list stays as short as it can be.
"""

import hashlib
import json
import subprocess
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import NamedTuple

from detect_secrets.core.scan import scan_file
from detect_secrets.settings import transient_settings

ROOT = Path(__file__).resolve().parent.parent
BASELINE = ROOT / ".secrets.baseline"
REMEMBERED = ROOT / ".venv" / "secret-scan.json"
"""What was found in files that have not changed since: the whole tree takes a quarter of a minute."""
SURE: tuple[str, ...] = (
    "ArtifactoryDetector", "AWSKeyDetector", "AzureStorageKeyDetector", "CloudantDetector", "DiscordBotTokenDetector",
    "GitHubTokenDetector", "GitLabTokenDetector", "IbmCloudIamDetector", "IbmCosHmacDetector", "JwtTokenDetector", "MailchimpDetector",
    "NpmDetector", "OpenAIDetector", "PrivateKeyDetector", "PypiTokenDetector", "SendGridDetector", "SlackDetector", "SoftlayerDetector",
    "SquareOAuthDetector", "StripeDetector", "TelegramBotTokenDetector", "TwilioKeyDetector",
)  # fmt: skip
"""Detectors of one known form each: what they find is a secret wherever it stands."""
GUESSING: tuple[dict[str, object], ...] = (
    {"name": "BasicAuthDetector"},
    {"name": "KeywordDetector"},
    {"name": "Base64HighEntropyString", "limit": 4.5},
    {"name": "HexHighEntropyString", "limit": 3.0},
)
"""Detectors that go by names and by chance. Tests are left out: they are full of made-up passwords and of hashes."""
FILTERS = ("detect_secrets.filters.heuristic.is_sequential_string", "detect_secrets.filters.heuristic.is_templated_secret")
HASHES = (".lock", ".secrets.baseline")
"""Files that consist of hashes; the sure detectors read them all the same."""


class Finding(NamedTuple):
    """Something that looks like a secret. `digest` is the SHA-1 of it, which tells nothing of a random one."""

    path: str
    kind: str
    digest: str
    line: int

    @property
    def known_as(self) -> tuple[str, str, str]:
        return self.path, self.kind, self.digest


def main() -> int:
    files = tracked()
    if not files:
        sys.stdout.write("not checked: this is no checkout, so nobody knows which files are ours\n")
        return 0
    found = scan(files)
    known = set(baseline(BASELINE.read_text("utf-8")))
    fresh = [finding for finding in found if finding.known_as not in known]
    stale = known - {finding.known_as for finding in found}
    for finding in fresh:
        sys.stdout.write(f"{finding.path}:{finding.line}: {finding.kind}\n")
        sys.stdout.write(f"  no secret? then add:  {' | '.join(finding.known_as)} | why it is none\n")
    for line in sorted(stale):
        sys.stdout.write(f"no longer there, remove it from {BASELINE.name}: {' | '.join(line)}\n")
    sys.stdout.write(f"{len(fresh)} secrets in {len(files)} files\n")
    return 1 if fresh or stale else 0


def scan(files: Iterable[str]) -> list[Finding]:
    """What is in `files`; those that were scanned before as they are now are not scanned again."""
    scanner, before = _digest(Path(__file__)), _remembered()
    digests = {path: f"{scanner} {_digest(ROOT / path)}" for path in files}
    changed = [path for path, digest in digests.items() if digest not in before]
    made: dict[str, list[Finding]] = {digest: before.get(digest, []) for digest in digests.values()}
    for finding in [*find(changed, SURE), *find(filter(may_guess, changed), GUESSING)]:
        made[digests[finding.path]].append(finding)
    REMEMBERED.write_text(json.dumps(made))
    return [finding._replace(path=path) for path, digest in digests.items() for finding in made[digest]]


def find(paths: Iterable[str], detectors: Iterable[str | dict[str, object]]) -> Iterator[Finding]:
    """What `detectors` see in the files, each secret once a file."""
    plugins = [{"name": detector} if isinstance(detector, str) else dict(detector) for detector in detectors]
    with transient_settings({"plugins_used": plugins, "filters_used": [{"path": path} for path in FILTERS]}):
        for path in paths:
            seen = {(secret.type, secret.secret_hash): secret.line_number for secret in scan_file(str(ROOT / path))}
            for (kind, digest), line in seen.items():
                yield Finding(path, kind, digest, line)


def _remembered() -> dict[str, list[Finding]]:
    try:
        return {digest: [Finding(*finding) for finding in findings] for digest, findings in json.loads(REMEMBERED.read_text()).items()}
    except (OSError, ValueError, TypeError):
        return {}


def _digest(path: Path) -> str:
    """A file as it is, with its place: what may be guessed at depends on it."""
    return hashlib.sha256(f"{path}\0".encode() + path.read_bytes()).hexdigest()


def may_guess(path: str) -> bool:
    return not path.startswith("tests/") and not path.endswith(HASHES)


def baseline(text: str) -> Iterator[tuple[str, str, str]]:
    """Path, detector and hash of every line. A line without its reason is refused."""
    for line in text.splitlines():
        if line and not line.startswith("#"):
            path, kind, digest, reason = (part.strip() for part in line.split(" | "))
            if len(reason.split()) < 2:
                raise ValueError(f"{BASELINE.name} gives no reason for {path}")
            yield path, kind, digest


def tracked() -> list[str]:
    """The files that git knows and that are there. Outside a checkout: none."""
    listing = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=False)  # noqa: S607  # nosec B607  # git is on the path
    return [name for name in listing.stdout.split("\0") if name and (ROOT / name).is_file()]


if __name__ == "__main__":
    sys.exit(main())
