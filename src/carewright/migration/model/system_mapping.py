"""What a hospital says of its own older system: which of ours is which of theirs. With what is known of the system it makes mappings."""

import tomllib
from collections.abc import Iterable, Mapping

import msgspec

from carewright.contracts.migration import InvalidMapping
from carewright.migration.model.mapping import FileMapping, Text, ensure_usable
from carewright.migration.model.systems import System, SystemName, Table

TIME = "%Y-%m-%d %H:%M:%S"
"""How MySQL writes a time."""
FORMS: Mapping[SystemName, str] = {"medplum": "%Y-%m-%dT%H:%M:%S%z"}


class SystemMapping(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The keys are those of a mapping of a file. An empty value is one that nobody filled in, and says nothing.

    `codes` are added to what is known of the system's words, and go before it.
    """

    system: SystemName
    source: str
    time_zone: str
    encoding: str = ""
    constants: dict[str, str] = {}
    codes: dict[str, dict[Text, str]] = {}

    def of(self, table: Table, known: Mapping[str, Mapping[str, str]] | None = None) -> FileMapping:
        """The mapping of a table, whose columns are called as the fields; `known` are words that are found here, by field.

        Raises `InvalidMapping`.
        """
        fields = [*table.columns, *table.joined]
        constants = {field: word for field, word in _filled(self.constants).items() if field in _OF[table.kind]}
        codes = {
            field: {
                **table.codes.get(field, {}),
                **(known or {}).get(field, {}),
                **_filled(self.codes.get(field, {})),
                **_itself(constants.get(field)),
            }
            for field in {*table.codes, *self.codes} & _OF[table.kind]
        }
        mapping = FileMapping(
            kind=table.kind, source=self.source, date="%Y-%m-%d", start=FORMS.get(self.system, TIME), time_zone=self.time_zone,
            columns={field: field for field in fields}, constants=constants, codes=codes,
        )  # fmt: skip
        ensure_usable(mapping)
        return mapping


_OF: Mapping[str, frozenset[str]] = {
    "patient": frozenset({"gender", "language"}),
    "appointment": frozenset({"visit_type", "site", "practitioner", "status"}),
}
"""What a mapping of a system may say of each kind."""


def _itself(constant: str | None) -> dict[str, str]:
    """A constant is one of ours, and goes through the table of codes as it is."""
    return {constant: constant} if constant else {}


def _filled(words: Mapping[str, str]) -> dict[str, str]:
    return {word: ours for word, ours in words.items() if ours}


def system_mapping_in(text: str) -> SystemMapping:
    """The mapping in a TOML document. Raises `InvalidMapping`, which says what is wrong with it."""
    try:
        mapping = msgspec.convert(tomllib.loads(text), SystemMapping)
    except tomllib.TOMLDecodeError as fault:
        raise InvalidMapping(f"The mapping is no TOML: {fault}.") from fault
    except msgspec.ValidationError as fault:
        raise InvalidMapping(f"The mapping is out of form: {fault}.") from fault
    known = frozenset[str]().union(*_OF.values())
    if unknown := sorted({*mapping.constants, *mapping.codes} - known):
        raise InvalidMapping(f"A mapping of a system says nothing of {unknown[0]!r}.", field=unknown[0])
    if not mapping.source:
        raise InvalidMapping("`source` is the name of the older system, such as urn:example:old-system.", field="source")
    return mapping


def draft_of(name: SystemName, system: System, found: Mapping[str, Iterable[tuple[str, str]]]) -> str:
    """A mapping to fill in, as TOML: `found` has the ids of each field, and what each is called there."""
    head = [
        f"# What {system.title} calls things, and what they are here: put an id of ours between the quotes.",
        "# What stays empty is not brought: its visits are rejected, and told.",
        f'system = "{name}"',
        f'source = "{system.source}"  # its name, for ever the same, such as urn:example:old-system',
        f'time_zone = "{system.time_zone}"  # of its calendar, such as America/Chicago',
        "", "[constants]", 'site = ""  # for visits that name none', 'language = ""  # of the patients, such as en',
    ]  # fmt: skip
    for field, entries in found.items():
        head += ["", f"[codes.{field}]", *(f'{_quoted(id_)} = ""  # {_plain(shown)}' for id_, shown in entries)]
    return "\n".join([*head, ""])


def _quoted(word: str) -> str:
    """A string of TOML: the escapes of JSON are a part of its own."""
    return msgspec.json.encode(word).decode()


def _plain(text: str) -> str:
    """Without what would end a comment."""
    return "".join(each if each.isprintable() else " " for each in text)
