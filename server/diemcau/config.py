"""What an operator of the server decides. Settings are passed in, never fetched."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path

from diemcau import limits


@dataclass(frozen=True, slots=True)
class Settings:
    """How one server process runs.

    database: `sqlite:///relative.db`, `sqlite:////absolute.db` or `postgresql://user@host:5432/name`.
    public_url: an origin without a path; what QR codes and links carry. None: derived from host and port.
    data_dir: where the secret key lives (mode 0600); the embedded database's folder by default.
    beat_interval_s: every link deadline is a multiple of it (suspect 1.5, lost 3), so tests may shrink time.
    """

    database: str = "sqlite:///data/diemcau.db"
    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str | None = None
    data_dir: Path = field(default_factory=lambda: Path("data"))
    tls_certificate: Path | None = None
    tls_key: Path | None = None
    trusted_proxy: bool = False
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
