"""The house rules. Each takes one file and yields what breaks the rule in it."""

import ast
import io
import re
import tokenize
from collections.abc import Collection, Iterator

from tests.tidy.names import references
from tests.tidy.source import Finding, Source

LINES_MAX = 600
SQL = re.compile(
    r"""^\s*(
        select\b.*\bfrom\b | select\s+(\$\d|\w+\.?\w*\() | insert\s+into\b | update\s+\S+\s+set\b | delete\s+from\b | with\s+\w+\s+as\b
        | (create|alter|drop)\s+(table|schema|role|index|unique|function|type|extension|database|view|trigger)\b
        | (grant|revoke)\s.*\b(on|to|from)\b | copy\s.*\b(from|to)\b | truncate\s | (un)?listen\s | notify\s | lock\s+table\b
        | set\s+(local|role|session)\b
    )""",
    re.IGNORECASE | re.VERBOSE | re.DOTALL,
)
CLOCKS = frozenset({
    "datetime.datetime.now", "datetime.datetime.utcnow", "datetime.datetime.today", "datetime.date.today",
    "time.time", "time.time_ns", "time.monotonic", "time.monotonic_ns", "time.perf_counter", "time.perf_counter_ns",
    "time.process_time", "time.gmtime", "time.localtime",
})  # fmt: skip
CHANCE = ("random.", "secrets.", "numpy.random.", "os.urandom", "os.getrandom", "uuid.uuid1", "uuid.uuid4", "uuid.uuid6", "uuid.uuid7")
SEEDED = frozenset(
    {"random.Random", "numpy.random.Generator", "numpy.random.default_rng", "numpy.random.PCG64", "numpy.random.SeedSequence"}
)
"""Sources of chance that answer the same for the same seed; making one without a seed is caught by its missing argument."""
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|NotImplementedError|placeholder|for now)\b")
EXCUSE = re.compile(r"#\s*(noqa|nosec|type:\s*ignore|pragma:\s*no cover|mypy:)(?P<rest>.*)")
CARD = (r"Owns:", r"Tables:|No tables", r"Invariants:", r"Must never:")


def sql_in_python(source: Source) -> Iterator[Finding]:
    """SQL lives in queries.sql and in migrations."""
    prose = _docstrings(source.tree)
    formatted = {id(part) for node in ast.walk(source.tree) if isinstance(node, ast.JoinedStr) for part in node.values}
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose | formatted and _is_sql(node.value):
            yield Finding(source.place, node.lineno, f"SQL in Python: {_start_of(node.value)}")


def formatted_sql(source: Source) -> Iterator[Finding]:
    """Values reach a statement as parameters, never by f-string, `%`, `+` or `.format`."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.expr) and (text := _formatted_text(node)) and _is_sql(text):
            yield Finding(source.place, node.lineno, f"SQL put together from pieces: {_start_of(text)}")


def clock_or_chance(source: Source) -> Iterator[Finding]:
    """Time, ids and randomness come from the context; only the kernel touches their sources."""
    if source.row == "kernel":
        return
    unseeded = {id(node.func) for node in ast.walk(source.tree) if isinstance(node, ast.Call) and not node.args and not node.keywords}
    for name, node in references(source.tree):
        by_chance = name.startswith(CHANCE) and (name not in SEEDED or id(node) in unseeded)
        if name in CLOCKS or by_chance:
            yield Finding(source.place, getattr(node, "lineno", 0), f"{name} outside the kernel")


def printing(source: Source) -> Iterator[Finding]:
    """Only the command line prints; everything else logs."""
    if source.row == "cli":
        return
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "print":
            yield Finding(source.place, node.lineno, "print outside cli")


def unexplained_ignore(source: Source) -> Iterator[Finding]:
    """An ignored check says beside it why: two words at least after the code."""
    for line, comment in _comments(source.text):
        match = EXCUSE.search(comment)
        if match and len(re.findall(r"[A-Za-z]{2,}", re.sub(r"^[:\s]*(\[[^\]]*\]|[A-Z]+\d+(,\s*[A-Z]+\d+)*)", "", match["rest"]))) < 2:
            yield Finding(source.place, line, f"an ignore without its reason: {comment}")


def unexplained_skip(source: Source) -> Iterator[Finding]:
    """A skipped test says why."""
    for node in ast.walk(source.tree):
        if not isinstance(node, ast.Attribute) or node.attr not in ("skip", "skipif", "xfail"):
            continue
        call = next((call for call in ast.walk(source.tree) if isinstance(call, ast.Call) and call.func is node), None)
        if ast.unparse(node.value) in ("pytest", "pytest.mark") and (call is None or not _says_something(call)):
            yield Finding(source.place, node.lineno, f"{ast.unparse(node)} without a reason")


def unfinished(source: Source) -> Iterator[Finding]:
    """Nothing half done is committed."""
    for number, line in enumerate(source.text.splitlines(), start=1):
        if match := UNFINISHED.search(line):
            yield Finding(source.place, number, f"unfinished: {match[0]}")


def too_long(source: Source) -> Iterator[Finding]:
    """A file is one idea."""
    lines = source.text.count("\n")
    if lines > LINES_MAX:
        yield Finding(source.place, lines, f"{lines} lines, {LINES_MAX} at most")


def card_missing(source: Source) -> Iterator[Finding]:
    """A module's `__init__.py` says what it owns, its tables, its invariants and what it must never do."""
    card = ast.get_docstring(source.tree) or ""
    for heading in CARD:
        if not re.search(heading, card):
            yield Finding(source.place, 1, f"the module card does not say: {heading}")


def foreign_table(source: Source, schemas: Collection[str], kernel_tables: Collection[str]) -> Iterator[Finding]:
    """A query touches its own module's tables. The kernel's functions are for all, its tables are not."""
    for number, line in enumerate(_sql_without_text(source.text).splitlines(), start=1):
        for match in re.finditer(r"\b([a-z_]+)\.([a-z_]+)\b", line):
            schema, name = match.groups()
            foreign = schema in schemas and schema not in (source.row, "kernel")
            if foreign or (schema == "kernel" != source.row and name in kernel_tables):
                yield Finding(source.place, number, f"{match[0]} belongs to {schema}")


def machine_path(source: Source, paths: Collection[str]) -> Iterator[Finding]:
    """What is committed names no folder of the machine it was written on."""
    for number, line in enumerate(source.text.splitlines(), start=1):
        if seen := next((path for path in paths if path in line), None):
            yield Finding(source.place, number, f"a path of one machine: {seen}")


def tables_of(sql: str) -> set[str]:
    """The tables that a migration makes, without their schema."""
    return set(re.findall(r"CREATE\s+TABLE\s+(?:IF\s+NOT\s+EXISTS\s+)?\w+\.(\w+)", sql, re.IGNORECASE))


def function_lengths(source: Source) -> list[int]:
    """Lines of each function, signature included, docstring left out."""
    return [
        node.end_lineno - node.lineno + 1 - _docstring_lines(node)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef) and node.end_lineno
    ]


def _docstring_lines(node: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    first = node.body[0]
    return (first.end_lineno or first.lineno) - first.lineno + 1 if ast.get_docstring(node) else 0


def _docstrings(tree: ast.AST) -> set[int]:
    """Strings that stand alone as statements: documentation, wherever it stands."""
    return {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)}


def _is_sql(text: str) -> bool:
    """SQL is written in capitals or in small letters throughout its first word; a sentence begins with one capital."""
    match = SQL.match(text)
    return match is not None and (word := text.split(maxsplit=1)[0]) in (word.upper(), word.lower())


def _start_of(text: str) -> str:
    return " ".join(text.split())[:60]


def _formatted_text(node: ast.expr) -> str | None:
    """The fixed text of a string that is put together from pieces, or None."""
    if isinstance(node, ast.JoinedStr) and any(isinstance(part, ast.FormattedValue) for part in node.values):
        return "".join(str(part.value) if isinstance(part, ast.Constant) else "x" for part in node.values)
    if isinstance(node, ast.BinOp) and isinstance(node.op, ast.Add | ast.Mod):
        return _text(node.left)
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "format":
        return _text(node.func.value)
    return None


def _text(node: ast.expr) -> str | None:
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def _comments(text: str) -> Iterator[tuple[int, str]]:
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        if token.type == tokenize.COMMENT:
            yield token.start[0], token.string


def _says_something(call: ast.Call) -> bool:
    named = [keyword.value for keyword in call.keywords if keyword.arg == "reason"]
    first = call.args[:1] if isinstance(call.func, ast.Attribute) and call.func.attr == "skip" else []
    return any(not isinstance(value, ast.Constant) or len(str(value.value).split()) > 1 for value in named + first)


def _sql_without_text(sql: str) -> str:
    """The statements alone: comments and quoted values blanked, lines kept."""
    blank = re.compile(r"--[^\n]*|'(?:[^']|'')*'")
    return blank.sub(lambda match: "\n" * match[0].count("\n"), sql)
