"""Every house rule is shown what it must catch, and what it must let pass."""

import pytest

from tests.tidy import rules
from tests.tidy.source import Source


def source(text: str, place: str = "scheduling/service.py") -> Source:
    return Source(place, text)


@pytest.mark.parametrize(
    "text",
    [
        "x = 'SELECT id FROM appointment'",
        'x = """\n    select id\n    from appointment\n"""',
        "x = 'SELECT $1'",
        "x = 'INSERT INTO a VALUES (1)'",
        "x = 'UPDATE a SET b = 1'",
        "run('DELETE FROM a')",
        "x = 'WITH a AS (SELECT 1) SELECT 2'",
        "x = 'GRANT SELECT ON a TO b'",
        "x = 'CREATE TABLE a ()'",
        "x = 'SET LOCAL role = y'",
    ],
)
def test_sql_in_python_is_seen(text: str) -> None:
    assert list(rules.sql_in_python(source(text)))


@pytest.mark.parametrize(
    "text",
    [
        "x = 'Select a time from the list'",
        "x = 'Update your telephone number'",
        '"""SELECT id FROM a: only a docstring."""',
        "x = Q.appointment_by_id",
        "x = 'with regard to the schedule'",
    ],
)
def test_sentences_and_docstrings_are_not_sql(text: str) -> None:
    assert not list(rules.sql_in_python(source(text)))


@pytest.mark.parametrize(
    "text",
    [
        "x = f'SELECT id FROM {table}'",
        "x = f'DELETE FROM a WHERE b = {value}'",
        "x = 'SELECT a FROM b WHERE c = %s' % value",
        "x = 'SELECT a FROM b WHERE ' + where",
        "x = 'SELECT a FROM {}'.format(table)",
    ],
)
def test_sql_put_together_from_pieces_is_seen(text: str) -> None:
    assert list(rules.formatted_sql(source(text)))


def test_formatted_sentences_pass() -> None:
    assert not list(rules.formatted_sql(source("x = f'Select {name} from the list'\ny = f'{a} from {b}'")))


@pytest.mark.parametrize(
    "text",
    [
        "import datetime\nx = datetime.datetime.now()",
        "from datetime import datetime as d\nx = d.now(UTC)",
        "from datetime import date\nx = date.today()",
        "import time\nx = time.time()",
        "from time import monotonic\nx = monotonic()",
        "import random\nx = random.random()",
        "import random\nx = random.Random()",
        "import numpy as np\nx = np.random.rand(3)",
        "import numpy as np\nx = np.random.default_rng()",
        "import uuid\nx = uuid.uuid4()",
        "from os import urandom\nx = urandom(8)",
        "from secrets import token_hex\nx = token_hex",
        "import time\nread = time.monotonic",
    ],
)
def test_clocks_and_chance_outside_the_kernel_are_seen(text: str) -> None:
    assert list(rules.clock_or_chance(source(text)))
    assert not list(rules.clock_or_chance(source(text, "kernel/clock.py")))


def test_given_time_and_seeded_chance_pass() -> None:
    text = "import random, uuid, numpy as np\nx = ctx.clock.now(), random.Random(seed), np.random.default_rng(7), uuid.uuid5(a, 'b')"
    assert not list(rules.clock_or_chance(source(text)))


def test_print_is_for_the_command_line_alone() -> None:
    assert list(rules.printing(source("print(1)")))
    assert not list(rules.printing(source("print(1)", "cli/up.py")))


@pytest.mark.parametrize("comment", ["# noqa", "# noqa: S603", "# type: ignore[arg-type]", "# type: ignore", "# pragma: no cover"])
def test_an_ignore_needs_its_reason(comment: str) -> None:
    assert list(rules.unexplained_ignore(source(f"x = 1  {comment}")))
    assert not list(rules.unexplained_ignore(source(f"x = 1  {comment}  # the driver ships no types")))


def test_a_skip_needs_its_reason() -> None:
    assert list(rules.unexplained_skip(source("import pytest\n@pytest.mark.skip\ndef test_a(): ...")))
    assert list(rules.unexplained_skip(source("import pytest\n@pytest.mark.skipif(True)\ndef test_a(): ...")))
    assert list(rules.unexplained_skip(source("import pytest\npytest.skip()")))
    assert not list(rules.unexplained_skip(source("import pytest\npytest.skip('needs a Chromium')")))
    assert not list(rules.unexplained_skip(source("import pytest\n@pytest.mark.skipif(True, reason='only on Linux')\ndef test_a(): ...")))


def test_unfinished_work_is_seen() -> None:
    mark = "TO" + "DO"
    assert list(rules.unfinished(source(f"x = 1  # {mark}: later")))


def test_a_file_has_its_limit() -> None:
    assert not list(rules.too_long(source("x\n" * rules.LINES_MAX)))
    assert list(rules.too_long(source("x\n" * (rules.LINES_MAX + 1))))


def test_a_card_says_all_four_things() -> None:
    assert len(list(rules.card_missing(source('"""Scheduling."""', "scheduling/__init__.py")))) == len(rules.CARD)
    whole = '"""Scheduling.\n\nOwns: time.\nTables: a.\nInvariants: b.\nMust never: c.\n"""'
    assert not list(rules.card_missing(source(whole, "scheduling/__init__.py")))


@pytest.mark.parametrize(
    ("sql", "count"),
    [
        ("SELECT a.id FROM scheduling.claim a", 0),
        ("SELECT kernel.refuse_unless(true, 'patients.unknown')", 0),
        ("-- asks patients.patient\nSELECT 'directory.location'", 0),
        ("SELECT p.id FROM patients.patient p", 1),
        ("SELECT 1\nFROM scheduling.claim\nJOIN directory.location l USING (id)", 1),
        ("INSERT INTO kernel.outbox (id) VALUES ($1)", 1),
    ],
)
def test_a_foreign_table_is_seen(sql: str, count: int) -> None:
    findings = rules.foreign_table(source(sql, "scheduling/queries.sql"), {"scheduling", "patients", "directory"}, {"outbox"})
    assert len(list(findings)) == count


def test_the_kernel_may_name_its_own_tables_and_no_module() -> None:
    kernel = source("SELECT 1 FROM kernel.outbox, scheduling.claim", "kernel/queries.sql")
    assert [finding.seen for finding in rules.foreign_table(kernel, {"scheduling"}, {"outbox"})] == [
        "scheduling.claim belongs to scheduling"
    ]


def test_tables_are_read_from_migrations() -> None:
    assert rules.tables_of("CREATE TABLE kernel.outbox ();\ncreate table if not exists kernel.job ();") == {"outbox", "job"}


def test_a_path_of_one_machine_is_seen() -> None:
    assert list(rules.machine_path(source("cd /somewhere/of/mine"), {"/somewhere/"}))


def test_function_lengths_leave_docstrings_out() -> None:
    assert rules.function_lengths(source('def f():\n    """One.\n\n    More.\n    """\n    return 1\n')) == [2]
