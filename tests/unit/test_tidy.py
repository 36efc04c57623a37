"""What a reader may count on in every file: size, docstrings, no sleeping tests, nothing of one machine.

An exception is named here with its reason. The lists may only shrink: one that is no longer needed fails too.
"""

from __future__ import annotations

import ast
import json
import re
import subprocess
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

FUNCTION_LINES_MAX = 70
FILE_LINES_MAX = 400

LONG_FUNCTIONS: dict[str, str] = {}
"""``path::function`` → why it is better in one piece."""

LONG_FILES: dict[str, str] = {
    "server/diemcau/store/migrations/versions/0001_the_first_tables.py": "the same tables as a migration makes them",
    "server/diemcau/store/schema.py": "every table on one page, declarations only",
    "server/diemcau/wire/api.py": "every body and answer of the public interface on one page, declarations only",
}
"""``path`` → why it is still one thing."""

SLEEPS: dict[str, str] = {}
"""``path`` → what the test waits for that tells it nothing."""

# Put together from parts, so that this file does not name what it forbids.
REGISTRY_HOSTS = re.compile(
    "|".join(
        re.escape(f"{name}.{domain}")
        for name, domain in (
            ("pypi", "org"),
            ("pythonhosted", "org"),
            ("npmjs", "com"),
            ("npmjs", "org"),
            ("npmmirror", "com"),
            ("yarnpkg", "com"),
            ("jsdelivr", "net"),
            ("unpkg", "com"),
        )
    )
)
MACHINE_PATHS = re.compile(r"(?<![\w.~$})-])/(?:root|work|home/[a-z]\w*|Users/[A-Za-z]\w*)/")


@cache
def tracked(*suffixes: str) -> list[str]:
    """Paths under version control that end with one of the suffixes; all of them when none is given."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)  # noqa: S607
    names = [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]
    return [name for name in names if name.endswith(suffixes or "")]


def text(name: str) -> str:
    """A tracked file as text; bytes that are no text (pictures) do no harm."""
    return (ROOT / name).read_text(encoding="utf-8", errors="replace")


@cache
def parsed(name: str) -> ast.Module:
    """The syntax tree of a tracked Python file."""
    return ast.parse(text(name))


def test_functions_can_be_read_in_one_look() -> None:
    """A function longer than a screen hides the rule that someone is looking for."""
    found = {
        f"{name}::{node.name}": length
        for name in tracked(".py")
        for node in ast.walk(parsed(name))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (length := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert found.keys() == LONG_FUNCTIONS.keys(), found


def test_files_are_one_thing() -> None:
    """A file that grows past 400 lines holds two things, and neither is found by its name."""
    found = {
        name: length
        for name in tracked(".py", ".ts", ".svelte")
        if (length := len(text(name).splitlines())) > FILE_LINES_MAX
    }
    assert found.keys() == LONG_FILES.keys(), found


def test_every_module_says_what_it_is() -> None:
    """A newcomer opens a file and must learn from its first line whether they are right there."""
    silent = [name for name in tracked(".py") if text(name).strip() and not ast.get_docstring(parsed(name))]
    assert silent == []


def test_tests_do_not_sleep() -> None:
    """A test that sleeps is slow on a fast machine and fails on a slow one."""
    found = {name for name in tracked(".py") if name.startswith("tests/") and any(sleeps(parsed(name)))}
    assert found == SLEEPS.keys()


def sleeps(tree: ast.Module) -> list[int]:
    """Lines that wait by the clock; ``sleep(0)`` only lets others run."""
    return [
        node.lineno
        for node in ast.walk(tree)
        if (isinstance(node, ast.Call) and ast.unparse(node.func) in {"time.sleep", "asyncio.sleep"})
        and ast.unparse(node) != "asyncio.sleep(0)"
    ]


def test_nothing_names_a_registry_or_a_machine() -> None:
    """A clone must build behind any mirror and in any directory."""
    found = [
        f"{name}:{number}: {line.strip()[:120]}"
        for name in tracked()
        for number, line in enumerate(text(name).splitlines(), 1)
        if REGISTRY_HOSTS.search(line) or MACHINE_PATHS.search(line)
    ]
    assert found == []


def test_lock_file_says_what_not_where() -> None:
    """Addresses in the lock file would send every build to one registry; the hashes are what pins."""
    packages = json.loads(text("client_web/package-lock.json"))["packages"]
    assert [name for name, package in packages.items() if "resolved" in package] == []
    assert [name for name, package in packages.items() if name and "integrity" not in package] == []


def test_pinned_packages_have_hashes_and_no_index() -> None:
    """A release that was replaced after the pin must not install."""
    for name in ("constraints.txt", "constraints-test.txt"):
        lines = text(name).splitlines()
        assert [
            line for line in lines if not re.match(r"(?:    --hash=sha256:[0-9a-f]{64}|[a-z0-9-]+==\S+ )", line)
        ] == []
        pins = [line for line in lines if not line.startswith(" ")]
        assert [line for line in pins if not line.endswith("\\")] == []
