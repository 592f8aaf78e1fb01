"""From a row of a known system's table to the values of its fields, or to why it is left aside. Pure."""

from collections.abc import Callable, Collection, Mapping

from carewright.migration.model.systems import Rule, Table

Text = Callable[[str], str]
"""The text of a column; empty where there is none, and where the table does not have it."""
Held = Mapping[str, Collection[Mapping[str, str]]]
"""Rows of small tables, by table."""


def settled(rules: Collection[Rule], held: Held) -> tuple[Rule, ...]:
    """The rules with the words that they look up."""
    return tuple(_settled(rule, held) for rule in rules)


def _settled(rule: Rule, held: Held) -> Rule:
    if rule.looked_up is None:
        return rule
    table, column, word = rule.looked_up
    words = frozenset(row["id"] for row in held.get(table, ()) if row[column] == word)
    return Rule(column=rule.column, words=words, code=rule.code, rejects=rule.rejects)


def broken_rule(rules: Collection[Rule], text: Text) -> Rule | None:
    """The first rule by which a row is left aside."""
    return next((rule for rule in rules if not _holds(rule, text(rule.column))), None)


def _holds(rule: Rule, word: str) -> bool:
    return bool(word) if rule.words is None else word in rule.words


def values_of(table: Table, text: Text) -> dict[str, str]:
    """The values by field."""

    def said(column: str) -> str:
        found = text(column)
        return "" if found == table.blank.get(column) else found

    values = {field: next(filter(None, map(said, columns)), "") for field, columns in table.columns.items()}
    return values | {field: " ".join(filter(None, map(said, columns))) for field, columns in table.joined.items()}
