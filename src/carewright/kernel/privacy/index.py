"""Blind indexes that answer "begins with": one number per name, in which names that begin alike lie side by side.

The number is made of keyed hashes of longer and longer beginnings, each cut to a few bits. Everything that begins with the same letters
shares the upper bits, so a search is one range of an ordinary index. How letters follow each other in a name is not kept: the hashes
scatter them.
"""

from collections.abc import Sequence

from carewright.kernel.privacy.cipher import FieldCipher

END = "\0"
"""Stands behind the last letter, so that "li" and the beginning of "lindner" part at the third letter."""


class PrefixIndex:
    """`levels` are (letters, bits): the hash of the first so many letters adds so many bits, from the shortest to the longest."""

    def __init__(self, table: str, column: str, levels: Sequence[tuple[int, int]]) -> None:
        self._table = table
        self._column = column
        self._levels = levels
        self.bits = sum(bits for _, bits in levels)

    def number(self, cipher: FieldCipher, text: str) -> int:
        """Where `text` lies."""
        return self._number(cipher, text + END, len(self._levels))

    def range(self, cipher: FieldCipher, prefix: str) -> tuple[int, int]:
        """The first and the last number of what begins with `prefix`; all numbers for one that is shorter than the first level."""
        depth = sum(letters <= len(prefix) for letters, _ in self._levels)
        rest = sum(bits for _, bits in self._levels[depth:])
        first = self._number(cipher, prefix, depth) << rest
        return first, first + (1 << rest) - 1

    def _number(self, cipher: FieldCipher, text: str, depth: int) -> int:
        number = 0
        for letters, bits in self._levels[:depth]:
            number = (number << bits) | cipher.blind(self._table, self._column, f"{letters}:{text[:letters]}", bits)
        return number
