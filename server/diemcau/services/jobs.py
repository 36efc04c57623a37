"""Long work under `/api/v1/jobs`: imports, exports, paper. Jobs live in memory and die with the server."""

from __future__ import annotations

from dataclasses import dataclass, field


@dataclass(slots=True)
class Jobs:
    """The jobs this server remembers."""

    _jobs: dict[str, object] = field(default_factory=dict)
