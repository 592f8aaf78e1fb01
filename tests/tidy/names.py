"""What a dotted expression in a file refers to, as far as its imports tell."""

import ast
from collections.abc import Iterator


def references(tree: ast.Module) -> Iterator[tuple[str, ast.AST]]:
    """Every imported or imported-and-dotted name that the file uses, by its full name: `datetime.datetime.now`."""
    aliases = _aliases(tree)
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute | ast.Name) and id(node) not in inner and (name := _full_name(node, aliases)):
            yield name, node


def _aliases(tree: ast.Module) -> dict[str, str]:
    found: dict[str, str] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.partition(".")[0]] = alias.name if alias.asname else alias.name.partition(".")[0]
        elif isinstance(node, ast.ImportFrom) and node.module:
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return found


def _full_name(node: ast.expr, aliases: dict[str, str]) -> str | None:
    if isinstance(node, ast.Name):
        return aliases.get(node.id)
    if isinstance(node, ast.Attribute) and (head := _full_name(node.value, aliases)):
        return f"{head}.{node.attr}"
    return None
