"""Files that were checked and wait for their sender to confirm them: on disk, few, not for long."""

from __future__ import annotations

import secrets
import shutil
import tempfile
import weakref
from collections import OrderedDict
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from diemcau import limits

if TYPE_CHECKING:
    from diemcau.clock import Clock


@dataclass(frozen=True, slots=True)
class KeptFile:
    """A checked file, of one link only. `name` as its sender calls it."""

    link_id: int
    path: Path
    name: str
    until_s: float


@dataclass(slots=True, weakref_slot=True)
class Uploads:
    """This server's waiting files. The folder goes when the process ends; the oldest file when there are too many."""

    _folder: Path | None = None
    _kept: OrderedDict[str, KeptFile] = field(default_factory=OrderedDict)

    def place(self) -> Path:
        """Where the next file may be written."""
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="diemcau-upload-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        return self._folder / secrets.token_hex(8)

    def keep(self, clock: Clock, link_id: int, path: Path, name: str) -> str:
        """Keep a checked file; the reference to ask for it by. A link's former file goes."""
        now_s = clock.monotonic_s()
        for ref, kept in list(self._kept.items()):
            if kept.link_id == link_id or kept.until_s <= now_s:
                self._drop(ref)
        while len(self._kept) >= limits.UPLOADS_WAITING_MAX:
            self._drop(next(iter(self._kept)))
        ref = secrets.token_hex(16)
        self._kept[ref] = KeptFile(link_id, path, name, now_s + limits.UPLOAD_KEPT_S)
        return ref

    def take(self, clock: Clock, link_id: int, ref: str) -> KeptFile | None:
        """The file of this reference, handed over once; None when it is gone, or another link's."""
        kept = self._kept.get(ref)
        if kept is None or kept.link_id != link_id:
            return None
        del self._kept[ref]
        if kept.until_s <= clock.monotonic_s():
            discard(kept.path)
            return None
        return kept

    def _drop(self, ref: str) -> None:
        discard(self._kept.pop(ref).path)


def discard(path: Path) -> None:
    """Remove a file that nobody needs any more."""
    with suppress(OSError):
        path.unlink(missing_ok=True)
