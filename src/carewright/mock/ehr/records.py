"""What the EHR keeps: resources by type and id, each with its version and when that came to be."""

from collections.abc import Callable, Iterator
from datetime import datetime

from carewright.mock.ehr.answers import Resource, Wrong


class Records:
    """Resources in the order in which they came. `now` tells the time of a change; `versions` whether resources say theirs.

    `changed` hears of each that was put, as it is shown from then on.
    """

    def __init__(self, now: Callable[[], datetime], *, versions: bool) -> None:
        self._now = now
        self._shows_versions = versions
        self._kept: dict[str, dict[str, Resource]] = {}
        self._versions: dict[tuple[str, str], int] = {}
        self.changed: Callable[[Resource], None] | None = None

    def put(self, resource: Resource) -> Resource:
        """Keep a resource as its next version; as it is shown from now on."""
        kind, id_ = resource["resourceType"], resource["id"]
        version = self._versions[kind, id_] = self._versions.get((kind, id_), -1) + 1
        meta = {"lastUpdated": self._now().isoformat(timespec="milliseconds").replace("+00:00", "Z")}
        shown = resource | {"meta": meta | ({"versionId": str(version)} if self._shows_versions else {})}
        self._kept.setdefault(kind, {})[id_] = shown
        if self.changed is not None:
            self.changed(shown)
        return shown

    def drop(self, kind: str, id_: str) -> None:
        """Raises `Wrong` for what is not there."""
        self.get(kind, id_)
        del self._kept[kind][id_]

    def get(self, kind: str, id_: str) -> Resource:
        """Raises `Wrong` for what is not there."""
        found = self._kept.get(kind, {}).get(id_)
        if found is None:
            raise Wrong(404, "not-found", f"There is no such {kind}.")
        return found

    def version(self, kind: str, id_: str) -> str:
        """As an ETag has it."""
        return f'W/"{self._versions[kind, id_]}"'

    def all(self, kind: str) -> Iterator[Resource]:
        return iter(list(self._kept.get(kind, {}).values()))
