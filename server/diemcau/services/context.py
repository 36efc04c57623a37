"""What every service works with: made once by the composition root and passed in."""

from __future__ import annotations

import hashlib
import hmac
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Protocol

from diemcau import limits
from diemcau.services.anomalies import Anomalies
from diemcau.services.claims import Failures
from diemcau.services.recorder import Recorder
from diemcau.services.slots import Slots
from diemcau.services.uploads import Uploads

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from contextlib import AbstractAsyncContextManager

    from diemcau.clock import Clock
    from diemcau.config import Settings
    from diemcau.live.center import Center
    from diemcau.services.identities import Identities
    from diemcau.services.jobs import Jobs
    from diemcau.services.limiter import Limiter
    from diemcau.store.engine import Connection, Engines
    from diemcau.store.writer import Writer


class Keys:
    """Keys derived from the server's one secret, which lives outside the database.

    A key's purpose is part of it: what was signed for one purpose never passes for another.
    """

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self._derived: dict[str, bytes] = {}

    def derive(self, purpose: str) -> bytes:
        """32 bytes for `purpose`; the purposes are few and ours, so their keys are kept."""
        key = self._derived.get(purpose)
        if key is None:
            key = self._derived[purpose] = hmac.digest(self._secret, b"diemcau:" + purpose.encode(), "sha256")
        return key

    def sign(self, purpose: str, message: bytes, size: int = 16) -> bytes:
        """A tag of `size` bytes: keyed BLAKE2b (RFC 7693), a quarter of what HMAC costs every check-in twice."""
        return hashlib.blake2b(message, digest_size=size, key=self.derive(purpose)).digest()


def token_hash(token: str) -> bytes:
    """How credentials and pairing codes are kept: SHA-256; they are random, so no salt or stretching is needed."""
    return hashlib.sha256(token.encode()).digest()


class SpawnTask(Protocol):
    """Starts a background coroutine under a name; the composition root implements and owns it."""

    def __call__(self, work: Coroutine[Any, Any, None], name: str) -> None:
        """Run `work` until it ends or the server stops."""


@dataclass(slots=True)
class Context:
    """The server's parts. `spawn` starts a background task that the composition root owns and ends."""

    settings: Settings
    clock: Clock
    engines: Engines
    writer: Writer
    keys: Keys
    live: Center
    identities: Identities
    limiter: Limiter
    jobs: Jobs
    spawn: SpawnTask
    failures: Failures = field(default_factory=Failures)
    anomalies: Anomalies = field(default_factory=Anomalies)
    recorder: Recorder = field(default_factory=Recorder)
    uploads: Uploads = field(default_factory=Uploads)
    exports: Slots = field(default_factory=lambda: Slots(limits.EXPORTS_RUNNING_MAX, limits.EXPORTS_WAITING_MAX))
    passwords: Slots = field(default_factory=lambda: Slots(limits.PASSWORDS_RUNNING_MAX, limits.PASSWORDS_WAITING_MAX))

    def read(self) -> AbstractAsyncContextManager[Connection]:
        """A reading connection; its statements see one state of the database."""
        return self.engines.read()
