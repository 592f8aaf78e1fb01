"""A ZIP archive made while it is sent: memory holds a page of it at a time."""

from collections.abc import AsyncIterator, Mapping
from io import RawIOBase
from zipfile import ZIP_DEFLATED, ZipFile


class _Pipe(RawIOBase):
    """What was written and not yet taken. It has no place to go back to, so the archive is written straight on."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        return True

    def write(self, data: object) -> int:
        part = bytes(memoryview(data))  # type: ignore[arg-type]  # whatever has bytes, as io has it
        self._parts.append(part)
        return len(part)

    def taken(self) -> bytes:
        """Everything since the last time."""
        whole, self._parts = b"".join(self._parts), []
        return whole


async def zipped(name: str, content: AsyncIterator[bytes], last: Mapping[str, object]) -> AsyncIterator[bytes]:
    """The archive's bytes: a file `name` of `content`, then the files of `last`, whose `str` is asked for once `content` has ended."""
    pipe = _Pipe()
    with ZipFile(pipe, "w", ZIP_DEFLATED) as archive:
        with archive.open(name, "w", force_zip64=True) as file:
            async for part in content:
                file.write(part)
                yield pipe.taken()
        for other, text in last.items():
            archive.writestr(other, str(text))
    yield pipe.taken()
