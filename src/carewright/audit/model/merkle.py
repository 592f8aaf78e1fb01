"""The Merkle tree of RFC 6962, section 2.1, kept in tiles (C2SP tlog-tiles): pure functions over hashes.

Leaves are hashed with a leading 0x00 and nodes with 0x01, so that neither can pass for the other. A tile is 256 hashes of one level; a
hash of tile level n stands for 256 to the n leaves. Whatever a root or a proof needs lies in a few tiles.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from hashlib import sha256
from itertools import pairwise

HASH_BYTES = 32
TILE_BITS = 8
TILE_WIDTH = 1 << TILE_BITS
EMPTY_ROOT = sha256().digest()

Node = Callable[[int, int], bytes]
"""`node(level, index)`: the root of the whole subtree of 2 to the `level` leaves that begins at leaf `index` times as many."""
Place = tuple[int, int]
"""Level and number of a tile."""


def leaf_hash(body: bytes) -> bytes:
    """What an entry is in the tree."""
    return sha256(b"\x00" + body).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    return sha256(b"\x01" + left + right).digest()


def appended(size: int, edges: Mapping[int, bytes], leaves: Sequence[bytes]) -> dict[Place, bytes]:
    """The tiles that are new or longer once `leaves` follow the first `size`. `edges` are the last, unfinished tiles by level."""
    changed: dict[Place, bytes] = {}
    level, count, fresh = 0, size, list(leaves)
    while fresh:
        hashes = _split(edges.get(level, b"")) + fresh
        first = count // TILE_WIDTH
        parts = [hashes[start : start + TILE_WIDTH] for start in range(0, len(hashes), TILE_WIDTH)]
        changed |= {(level, first + number): b"".join(part) for number, part in enumerate(parts)}
        fresh = [_whole(part) for part in parts if len(part) == TILE_WIDTH]
        level, count = level + 1, first
    return changed


def edges_of(size: int) -> list[Place]:
    """The last, unfinished tile of every level of a tree of `size` leaves."""
    found = []
    level = 0
    while size:
        if size % TILE_WIDTH:
            found.append((level, size // TILE_WIDTH))
        size, level = size // TILE_WIDTH, level + 1
    return found


def root(size: int, node: Node) -> bytes:
    """The root of the first `size` leaves."""
    return _range(0, size, node) if size else EMPTY_ROOT


def inclusion(leaf: int, size: int, node: Node) -> list[bytes]:
    """The audit path of a leaf in a tree of `size` (RFC 6962, 2.1.1), from the leaf upwards."""
    path: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _split_at(end - begin)
        if leaf < middle:
            path.append(_range(middle, end, node))
            end = middle
        else:
            path.append(_range(begin, middle, node))
            begin = middle
    return path[::-1]


def consistency(old: int, size: int, node: Node) -> list[bytes]:
    """The proof that a tree of `size` begins with the tree of `old` (RFC 6962, 2.1.2); `old` lies between 1 and `size`."""
    proof: list[bytes] = []
    begin, end, is_whole = 0, size, True
    while old != end:
        middle = begin + _split_at(end - begin)
        if old <= middle:
            proof.append(_range(middle, end, node))
            end = middle
        else:
            proof.append(_range(begin, middle, node))
            begin, is_whole = middle, False
    return ([] if is_whole else [_range(begin, end, node)]) + proof[::-1]


def root_by_inclusion(leaf: int, size: int, hashed: bytes, path: Sequence[bytes]) -> bytes | None:
    """The root that a path leads to, or None when its length does not fit (RFC 9162, 2.1.3.2)."""
    index, last = leaf, size - 1
    for sibling in path:
        if last == 0:
            return None
        if index & 1 or index == last:
            hashed = node_hash(sibling, hashed)
            while index & 1 == 0 and index:
                index, last = index >> 1, last >> 1
        else:
            hashed = node_hash(hashed, sibling)
        index, last = index >> 1, last >> 1
    return hashed if last == 0 else None


def needed(ask: Callable[[Node], object]) -> set[Place]:
    """The tiles that a calculation looks into."""
    seen: set[Place] = set()

    def node(level: int, index: int) -> bytes:
        place, _, _ = _place_of(level, index)
        seen.add(place)
        return EMPTY_ROOT

    ask(node)
    return seen


def node_in(tiles: Mapping[Place, bytes]) -> Node:
    """Answers from tiles that are there. Raises `KeyError` for one that is not."""

    def node(level: int, index: int) -> bytes:
        place, first, count = _place_of(level, index)
        return _whole(_split(tiles[place][first * HASH_BYTES : (first + count) * HASH_BYTES]))

    return node


class Growing:
    """A tree that only its right edge is kept of: takes leaves, tells the root. For going through a log once."""

    def __init__(self) -> None:
        self.size = 0
        self._edge: list[bytes] = []

    def extend(self, leaves: Iterable[bytes]) -> None:
        """Append leaf hashes."""
        size, edge, hashed = self.size, self._edge, sha256
        for leaf in leaves:
            number, size, top = size, size + 1, leaf
            while number & 1:
                top = hashed(b"\x01" + edge.pop() + top).digest()
                number >>= 1
            edge.append(top)
        self.size = size

    def root(self) -> bytes:
        """The root of what has come so far."""
        if not self._edge:
            return EMPTY_ROOT
        top = self._edge[-1]
        for left in self._edge[-2::-1]:
            top = node_hash(left, top)
        return top


def ordered(sizes: Iterable[int]) -> list[tuple[int, int]]:
    """The stretches between sizes, from nothing to the last."""
    return list(pairwise([0, *sorted({size for size in sizes if size > 0})]))


def _place_of(level: int, index: int) -> tuple[Place, int, int]:
    """The tile of a node, and which of its hashes the node is the root of: the first, and how many."""
    tile_level, bits = divmod(level, TILE_BITS)
    number, first = divmod(index << bits, TILE_WIDTH)
    return (tile_level, number), first, 1 << bits


def _range(begin: int, end: int, node: Node) -> bytes:
    """The root of the leaves from `begin` to `end`. `begin` is a multiple of the largest power of two that fits."""
    count = end - begin
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return node(level, begin >> level)
    middle = begin + _split_at(count)
    return node_hash(_range(begin, middle, node), _range(middle, end, node))


def _split_at(count: int) -> int:
    """The largest power of two below `count`."""
    return 1 << ((count - 1).bit_length() - 1)


def _split(hashes: bytes) -> list[bytes]:
    return [hashes[start : start + HASH_BYTES] for start in range(0, len(hashes), HASH_BYTES)]


def _whole(hashes: list[bytes]) -> bytes:
    """The root of a power of two of hashes."""
    while len(hashes) > 1:
        hashes = [node_hash(left, right) for left, right in zip(hashes[::2], hashes[1::2], strict=True)]
    return hashes[0]
