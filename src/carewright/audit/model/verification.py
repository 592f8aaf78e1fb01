"""Holding the journal against what was sealed, and both against checkpoints: pure, and once through.

What is trusted is a checkpoint that was kept outside, and the key. From it follows which leaves the log had; from the leaves, entry by
entry, what became of the journal.
"""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple

from carewright.audit.model.checkpoint import Head
from carewright.audit.model.merkle import HASH_BYTES, Growing, leaf_hash, ordered

STRETCH = 50_000
WINDOW = 1_000
FINDINGS_MAX = 100


class Kept(NamedTuple):
    """A checkpoint from somewhere: where it was kept, and what it says."""

    where: str
    head: Head


def findings(size: int, leaves: bytes, bodies: Iterable[bytes], kept: Sequence[Kept]) -> list[str]:
    """What does not hold, in sentences. `size` is what the log says of itself, `leaves` are the hashes it sealed, one behind another."""
    sealed = len(leaves) // HASH_BYTES
    found = [] if sealed == size else [f"the log says that it sealed {size} entries, and has the leaves of {sealed}"]
    found += _of_checkpoints(sealed, leaves, kept)
    found += islice(_of_entries(leaves, bodies), FINDINGS_MAX)
    return found


def _of_checkpoints(sealed: int, leaves: bytes, kept: Sequence[Kept]) -> Iterator[str]:
    """Whether the leaves lead to each checkpoint's root; the tree is gone through once, from one checkpoint's size to the next."""
    by_size: dict[int, list[Kept]] = {}
    for each in kept:
        by_size.setdefault(each.head.size, []).append(each)
    tree = Growing()
    for begin, end in ordered(size for size in by_size if size <= sealed):
        tree.extend(_parted(leaves[begin * HASH_BYTES : end * HASH_BYTES]))
        root = tree.root()
        for each in by_size[end]:
            if each.head.root != root:
                yield f"fork: {each.where} at {end} entries has another root than the log, so history was rewritten before entry {end}"
    if beyond := max((size for size in by_size if size > sealed), default=0):
        where = by_size[beyond][0].where
        yield f"rollback: {where} has seen {beyond} entries, the log has {sealed}: an older state was put in its place, or its end cut off"


def _of_entries(leaves: bytes, bodies: Iterable[bytes]) -> Iterator[str]:
    """Whether each entry is the one that was sealed at its place. Where they part, look ahead for where they meet again."""
    rest = iter(bodies)
    number, total = 0, len(leaves) // HASH_BYTES
    there = [leaf_hash(body) for body in islice(rest, STRETCH)]
    while number < total or there:
        if there and b"".join(there) == leaves[number * HASH_BYTES : (number + len(there)) * HASH_BYTES]:
            number, there = number + len(there), [leaf_hash(body) for body in islice(rest, STRETCH)]
            continue
        wanted = _parted(leaves[number * HASH_BYTES : (number + len(there) or number + WINDOW) * HASH_BYTES])
        same = next(
            (index for index, (one, other) in enumerate(zip(there, wanted, strict=False)) if one != other), min(len(there), len(wanted))
        )
        number, there = number + same, there[same:]
        there += (leaf_hash(body) for body in islice(rest, max(0, WINDOW - len(there))))
        wanted = _parted(leaves[number * HASH_BYTES : (number + WINDOW) * HASH_BYTES])
        if not there:
            if wanted:
                yield f"truncation: the entries from {number} to {total - 1} are gone from the journal"
            return
        told, gone, come = _parting(number, there[:WINDOW], wanted)
        yield told
        number, there = number + gone, there[come:]


def _parting(number: int, there: list[bytes], wanted: list[bytes]) -> tuple[str, int, int]:
    """What happened where entries and leaves part; how many leaves, and how many entries, that explains."""
    if not wanted:
        return f"insertion: an entry stands before the end of what was sealed, behind entry {number - 1}", 0, 1
    if _swapped(there, wanted):
        count = _differing(there, wanted)
        return f"reordering: the entries from {number} to {number + count - 1} stand in another order", count, count
    if there[0] in wanted:
        gone = wanted.index(there[0])
        return f"deletion: entries {number} to {number + gone - 1} are gone", gone, 0
    if wanted[0] in there:
        come = there.index(wanted[0])
        return f"insertion: {come} entries that were never sealed stand before entry {number}", 0, come
    return f"edit: entry {number} is not what was sealed", 1, 1


def _swapped(there: list[bytes], wanted: list[bytes]) -> bool:
    """Whether what differs are the same hashes in another order."""
    pairs = [(one, other) for one, other in zip(there, wanted, strict=False) if one != other]
    return len(pairs) > 1 and sorted(one for one, _ in pairs) == sorted(other for _, other in pairs)


def _differing(there: list[bytes], wanted: list[bytes]) -> int:
    """Up to where the two differ."""
    return 1 + max(index for index, (one, other) in enumerate(zip(there, wanted, strict=False)) if one != other)


def _parted(hashes: bytes) -> list[bytes]:
    return [hashes[start : start + HASH_BYTES] for start in range(0, len(hashes), HASH_BYTES)]
