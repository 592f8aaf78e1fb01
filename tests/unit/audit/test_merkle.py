"""The tree of RFC 6962, held against its definition: the recursion of the standard over all leaves."""

import random
from hashlib import sha256

import pytest

from carewright.audit.model import merkle
from carewright.audit.model.merkle import Growing, Place, appended, edges_of, inclusion, leaf_hash, needed, node_in, root, root_by_inclusion

SIZES = (1, 2, 3, 7, 8, 255, 256, 257, 300, 511, 512, 513, 1000)


def leaves(count: int) -> list[bytes]:
    return [leaf_hash(str(number).encode()) for number in range(count)]


def by_definition(hashes: list[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, on leaf hashes."""
    if not hashes:
        return sha256().digest()
    if len(hashes) == 1:
        return hashes[0]
    middle = 1
    while middle * 2 < len(hashes):
        middle *= 2
    return sha256(b"\x01" + by_definition(hashes[:middle]) + by_definition(hashes[middle:])).digest()


def grown(*batches: list[bytes]) -> dict[Place, bytes]:
    """The tiles after these batches, each appended to what was there."""
    tiles: dict[Place, bytes] = {}
    size = 0
    for batch in batches:
        edges = {level: tiles[level, number] for level, number in edges_of(size)}
        tiles |= appended(size, edges, batch)
        size += len(batch)
    return tiles


def test_an_empty_tree_and_known_leaves_have_the_published_roots() -> None:
    """The vectors of the reference implementation of Certificate Transparency (merkletree_test), for the empty tree and one empty leaf."""
    assert merkle.EMPTY_ROOT.hex() == "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert leaf_hash(b"").hex() == "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d"


@pytest.mark.parametrize("size", SIZES)
def test_the_root_is_the_one_of_the_definition(size: int) -> None:
    hashes = leaves(size)
    tree = Growing()
    tree.extend(hashes)
    assert root(size, node_in(grown(hashes))) == tree.root() == by_definition(hashes)


def test_batches_of_any_size_make_the_same_tiles() -> None:
    hashes = leaves(70_000)
    dice = random.Random(6962)
    cuts = sorted(dice.randrange(len(hashes)) for _ in range(60))
    batches = [hashes[begin:end] for begin, end in zip([0, *cuts], [*cuts, len(hashes)], strict=True) if begin < end]
    tiles = grown(*batches)
    assert tiles == grown(hashes)
    assert root(70_000, node_in(tiles)) == by_definition(hashes)


@pytest.mark.parametrize("size", SIZES)
def test_every_leaf_is_proven_and_no_other_is(size: int) -> None:
    hashes = leaves(size)
    node = node_in(grown(hashes))
    top = by_definition(hashes)
    for leaf in {0, size // 3, size // 2, size - 1}:
        path = inclusion(leaf, size, node)
        assert root_by_inclusion(leaf, size, hashes[leaf], path) == top
        assert root_by_inclusion(leaf, size, leaf_hash(b"other"), path) != top
        assert root_by_inclusion(leaf, size, hashes[leaf], [*path, top]) is None
        if path:
            assert root_by_inclusion(leaf, size, hashes[leaf], path[:-1]) is None


@pytest.mark.parametrize("size", SIZES)
def test_every_earlier_tree_is_proven_to_be_the_beginning(size: int) -> None:
    hashes = leaves(size)
    node = node_in(grown(hashes))
    for old in {1, size // 3 or 1, size // 2 or 1, size}:
        proof = merkle.consistency(old, size, node)
        assert roots_by_consistency(old, size, by_definition(hashes[:old]), proof) == (by_definition(hashes[:old]), by_definition(hashes))


def roots_by_consistency(old: int, size: int, old_root: bytes, proof: list[bytes]) -> tuple[bytes, bytes] | None:
    """Both roots as the proof has them (RFC 9162, 2.1.4.2)."""
    if old == size:
        return (old_root, old_root) if not proof else None
    path = [old_root, *proof] if old & (old - 1) == 0 else proof
    first, last = old - 1, size - 1
    while first & 1:
        first, last = first >> 1, last >> 1
    earlier = later = path[0]
    for each in path[1:]:
        if last == 0:
            return None
        if first & 1 or first == last:
            earlier, later = merkle.node_hash(each, earlier), merkle.node_hash(each, later)
            while first & 1 == 0 and first:
                first, last = first >> 1, last >> 1
        else:
            later = merkle.node_hash(later, each)
        first, last = first >> 1, last >> 1
    return (earlier, later) if last == 0 else None


def test_a_proof_looks_into_few_tiles() -> None:
    size = 10**9 + 7
    assert len(needed(lambda node: inclusion(123_456_789, size, node))) <= 10
    assert len(needed(lambda node: merkle.consistency(123_456_789, size, node))) <= 10
