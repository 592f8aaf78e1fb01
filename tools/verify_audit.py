"""Verify an export of Carewright's audit log, with nothing but Python's own library.

Example: python tools/verify_audit.py EXPORT --witness checkpoints.txt --key 'name+hash+base64'

EXPORT is a folder made by `carewright audit export`. --witness names files with checkpoints that were kept elsewhere: only these can show
that the whole database was replaced. --key is the log's verifier key; get it from another place than the export, and once. Exit code 0:
nobody changed anything that was sealed; 1: somebody did, and each finding is a line; 2: the export cannot be read.

Formats: RFC 6962 (tree), RFC 8032 (Ed25519), https://c2sp.org/signed-note, https://c2sp.org/tlog-checkpoint.
"""

import argparse
import base64
import json
import sys
from collections.abc import Iterable, Iterator
from hashlib import sha256, sha512
from itertools import islice
from pathlib import Path

WIDTH = 32
STRETCH = 50_000
WINDOW = 1_000
FINDINGS_MAX = 100
DASH = "\u2014 "
Point = tuple[int, int, int, int]
Key = tuple[str, bytes, bytes]
"""Name, key id, public key."""
Kept = tuple[str, int, str, int, bytes]
"""The file a checkpoint was kept in, its number there, the note, its size, its root."""

# --- Ed25519, RFC 8032, section 5.1 and its appendix -----------------------------------------------------------------------------
P = 2**255 - 19
ORDER = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, -1, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)
BASE_Y = 4 * pow(5, -1, P) % P


def x_of(y: int, sign: int) -> int | None:
    """The x of a point, or None when there is none."""
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, -1, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    return P - x if x & 1 != sign else x


def add(one: Point, other: Point) -> Point:
    """The sum of two points in extended coordinates."""
    a, b = (one[1] - one[0]) * (other[1] - other[0]) % P, (one[1] + one[0]) * (other[1] + other[0]) % P
    c, d = 2 * one[3] * other[3] * D % P, 2 * one[2] * other[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(scalar: int, point: Point) -> Point:
    """A multiple of a point."""
    total: Point = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = add(total, point)
        point, scalar = add(point, point), scalar >> 1
    return total


def point_of(encoded: bytes) -> Point | None:
    """The point that 32 bytes stand for, or None."""
    number = int.from_bytes(encoded, "little")
    y = number & ((1 << 255) - 1)
    x = x_of(y, number >> 255)
    return None if x is None else (x, y, 1, x * y % P)


BASE_X = 15112221349535400772501151409588531511454012693041857206046113283949847762202
BASE: Point = (BASE_X, BASE_Y, 1, BASE_X * BASE_Y % P)


def is_signed(public: bytes, message: bytes, signature: bytes) -> bool:
    """Whether an Ed25519 signature is valid."""
    key, commitment, scalar = point_of(public), point_of(signature[:32]), int.from_bytes(signature[32:], "little")
    if len(signature) != 64 or key is None or commitment is None or scalar >= ORDER:
        return False
    challenge = int.from_bytes(sha512(signature[:32] + public + message).digest(), "little") % ORDER
    left, right = times(scalar, BASE), add(commitment, times(challenge, key))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


# --- signed notes and checkpoints ------------------------------------------------------------------------------------------------


def key_of(text: str) -> Key:
    """Name, key id and public key of a verifier key."""
    name, _, rest = text.strip().partition("+")
    key_id, _, encoded = rest.partition("+")
    key = base64.b64decode(encoded, validate=True)
    if key[:1] != b"\x01" or len(key) != 33 or sha256(f"{name}\n".encode() + key).digest()[:4].hex() != key_id:
        raise ValueError("this is not a verifier key")
    return name, bytes.fromhex(key_id), key[1:]


def opened(note: str, key: Key) -> str | None:
    """The text of a note that the key signed, or None."""
    name, key_id, public = key
    text, parted, lines = note.rpartition("\n\n")
    for line in lines.splitlines() if parted else ():
        words = line.split(" ")
        if len(words) == 3 and words[:2] == [DASH.strip(), name]:
            signature = base64.b64decode(words[2])
            if signature[:4] == key_id:
                return text + "\n" if is_signed(public, (text + "\n").encode(), signature[4:]) else None
    return None


def notes_in(kept: str) -> list[str]:
    """The notes of a file that keeps one behind another: each ends with its last signature."""
    notes: list[str] = []
    lines: list[str] = []
    for line in kept.splitlines(keepends=True):
        if lines and lines[-1].startswith(DASH) and not line.startswith(DASH):
            notes.append("".join(lines))
            lines = []
        lines.append(line)
    return [*notes, "".join(lines)] if lines else notes


def checkpoints_in(path: Path, key: Key, found: list[str]) -> Iterator[Kept]:
    """The checkpoints of a file. Signatures are checked slowly here: that of the last, and later that of each which contradicts the log."""
    notes = notes_in(path.read_text("utf-8", "replace"))
    for number, note in enumerate(notes, start=1):
        lines = note.rpartition("\n\n")[0].split("\n")
        is_checkpoint = len(lines) > 2 and lines[0] == key[0] and lines[1].isdigit()
        if not is_checkpoint or (number == len(notes) and opened(note, key) is None):
            found.append(forged(path.name, number))
        else:
            yield path.name, number, note, int(lines[1]), base64.b64decode(lines[2])


def forged(name: str, number: int) -> str:
    return f"forged: checkpoint {number} in {name} is not signed by the log's key"


# --- the tree and the journal ----------------------------------------------------------------------------------------------------


def parted(hashes: bytes) -> list[bytes]:
    return [hashes[start : start + WIDTH] for start in range(0, len(hashes), WIDTH)]


def of_checkpoints(sealed: int, leaves: bytes, kept: list[Kept], key: Key) -> Iterator[str]:
    """Whether the leaves lead to each checkpoint's root. The edge of the tree holds the roots of whole subtrees, large ones first."""
    edge: list[bytes] = []
    size, hashed = 0, sha256
    for end in sorted({each[3] for each in kept if 0 < each[3] <= sealed}):
        for leaf in parted(leaves[size * WIDTH : end * WIDTH]):
            number, size, top = size, size + 1, leaf
            while number & 1:
                top = hashed(b"\x01" + edge.pop() + top).digest()
                number >>= 1
            edge.append(top)
        root = edge[-1]
        for left in edge[-2::-1]:
            root = hashed(b"\x01" + left + root).digest()
        for name, kept_number, note, at, kept_root in kept:
            if at == end and kept_root != root:
                told = (
                    f"the checkpoint in {name} at {end} entries has another root than the log, so history was rewritten before entry {end}"
                )
                yield f"fork: {told}" if opened(note, key) else forged(name, kept_number)
    beyond = max((each for each in kept if each[3] > sealed), key=lambda each: each[3], default=None)
    if beyond:
        seen = f"the checkpoint in {beyond[0]} has seen {beyond[3]} entries, the log has {sealed}"
        told = f"rollback: {seen}: an older state was put in its place, or its end cut off"
        yield told if opened(beyond[2], key) else forged(beyond[0], beyond[1])


def hashed_lines(lines: Iterable[bytes], count: int) -> list[bytes]:
    return [sha256(b"\x00" + line[:-1]).digest() for line in islice(lines, count)]


def of_entries(leaves: bytes, lines: Iterable[bytes]) -> Iterator[str]:
    """Whether each entry is the one that was sealed at its place. Where they part, look ahead for where they meet again."""
    number, total, there = 0, len(leaves) // WIDTH, hashed_lines(lines, STRETCH)
    while number < total or there:
        if there and b"".join(there) == leaves[number * WIDTH : (number + len(there)) * WIDTH]:
            number, there = number + len(there), hashed_lines(lines, STRETCH)
            continue
        wanted = parted(leaves[number * WIDTH : (number + (len(there) or WINDOW)) * WIDTH])
        alike = (index for index, (one, other) in enumerate(zip(there, wanted, strict=False)) if one != other)
        same = next(alike, min(len(there), len(wanted)))
        number, there = number + same, there[same:]
        there += hashed_lines(lines, max(0, WINDOW - len(there)))
        wanted = parted(leaves[number * WIDTH : (number + WINDOW) * WIDTH])
        if not there:
            if wanted:
                yield f"truncation: the entries from {number} to {total - 1} are gone from the journal"
            return
        told, gone, come = parting(number, there[:WINDOW], wanted)
        yield told
        number, there = number + gone, there[come:]


def parting(number: int, there: list[bytes], wanted: list[bytes]) -> tuple[str, int, int]:
    """What happened where entries and leaves part; how many leaves, and how many entries, that explains."""
    if not wanted:
        return f"insertion: an entry stands before the end of what was sealed, behind entry {number - 1}", 0, 1
    differing = [index for index, (one, other) in enumerate(zip(there, wanted, strict=False)) if one != other]
    if len(differing) > 1 and sorted(there[index] for index in differing) == sorted(wanted[index] for index in differing):
        count = differing[-1] + 1
        return f"reordering: the entries from {number} to {number + count - 1} stand in another order", count, count
    if there[0] in wanted:
        gone = wanted.index(there[0])
        return f"deletion: entries {number} to {number + gone - 1} are gone", gone, 0
    if wanted[0] in there:
        come = there.index(wanted[0])
        return f"insertion: {come} entries that were never sealed stand before entry {number}", 0, come
    return f"edit: entry {number} is not what was sealed", 1, 1


def main() -> int:
    """Verify what the command line names."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("export", type=Path)
    parser.add_argument("--witness", type=Path, action="append", default=[])
    parser.add_argument("--key")
    options = parser.parse_args()
    try:
        about = json.loads((options.export / "log.json").read_text("utf-8"))
        key = key_of(options.key or about["verifier_key"])
        leaves = (options.export / "leaves.bin").read_bytes()
        files = [options.export / "checkpoints.txt", *options.witness]
        found: list[str] = []
        kept = [each for path in files for each in checkpoints_in(path, key, found)]
        sealed = len(leaves) // WIDTH
        if sealed != about["size"]:
            found.append(f"the log says that it sealed {about['size']} entries, and has the leaves of {sealed}")
        found += of_checkpoints(sealed, leaves, kept, key)
        with (options.export / "entries.jsonl").open("rb") as lines:
            found += islice(of_entries(leaves, lines), FINDINGS_MAX)
    except (OSError, ValueError, KeyError, AttributeError) as fault:
        print(f"the export cannot be read: {fault}", file=sys.stderr)
        return 2
    for finding in found:
        print(finding)
    print(f"{len(found)} findings in {sealed} entries")
    return 1 if found else 0


if __name__ == "__main__":
    sys.exit(main())
