"""What an operator of the server decides. Settings are passed in, never fetched."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from diemcau import limits
from diemcau.errors import StartError

PUBLIC_HOST_CHARS_MAX = 30
"""A longer host makes the door's QR code denser than version 3, too fine for the last row of a hall."""


@dataclass(frozen=True, slots=True)
class Settings:
    """How one server process runs.

    database: `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://user@host:5432/name`.
    public_url: an origin without a path; what QR codes and links carry. None: derived from host and port.
    data_dir: where the secret key lives (mode 0600); the embedded database's folder by default.
    timezone: the halls' own; check-in pages and exports show local times in it.
    beat_interval_s: every link deadline is a multiple of it (suspect 1.5, lost 3), so tests may shrink time.
    """

    database: str = "sqlite:///data/diemcau.db"
    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str | None = None
    data_dir: Path = field(default_factory=lambda: Path("data"))
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    timezone: str = "Asia/Ho_Chi_Minh"
    beat_interval_s: float = limits.BEAT_INTERVAL_S
    blind_grace_s: float = limits.BLIND_GRACE_S

    @property
    def origin(self) -> str:
        """`https://host[:port]` that people reach this server under."""
        if self.public_url:
            return self.public_url.rstrip("/")
        scheme = "https" if self.tls_certificate else "http"
        host = "localhost" if self.host in {"127.0.0.1", "0.0.0.0", "::", "::1"} else self.host  # noqa: S104 compared, not bound
        return f"{scheme}://{host}:{self.port}"

    @property
    def secure(self) -> bool:
        """Whether people reach this server over HTTPS."""
        return self.origin.startswith("https://")

    def check(self) -> None:
        """Refuse what would only fail later, in front of people.

        Raises:
            StartError: `public_url` (not an origin, or too long for the door's QR code), `tls_incomplete`,
                `timezone` (no such zone).
        """
        try:
            ZoneInfo(self.timezone)
        except (ZoneInfoNotFoundError, ValueError):
            raise StartError("timezone", zone=self.timezone) from None
        if self.public_url is not None and not _is_origin(self.public_url):
            raise StartError("public_url", url=self.public_url, chars=PUBLIC_HOST_CHARS_MAX)
        if (self.tls_certificate is None) != (self.tls_key is None):
            raise StartError("tls_incomplete")


def _is_origin(url: str) -> bool:
    """Whether `url` is scheme, host and port alone, in letters that a QR code and a browser's Origin have."""
    try:
        parts = urlsplit(url)
        named = bool(parts.hostname) and parts.port != 0
    except ValueError:
        return False
    alone = parts.path in {"", "/"} and not parts.query and not parts.fragment and "@" not in parts.netloc
    return (
        parts.scheme in {"http", "https"}
        and named
        and alone
        and parts.netloc.isascii()
        and len(parts.netloc) <= PUBLIC_HOST_CHARS_MAX
    )
