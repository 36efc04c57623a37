"""`python -m diemcau.intake units|points|attendees FILE [MAPPING]`: reads one file, sends frames to standard output.

A process of its own: seconds of work never hold up a beat, a file made to harm meets bounds on memory and time,
and only the reader is imported.
"""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path

import msgspec

from diemcau import limits
from diemcau.errors import ImportFileError
from diemcau.intake.files import frames
from diemcau.intake.frames import Frame, Mapping, Unreadable, encode


def bind() -> None:
    """Bound memory and processor time, where the system knows such bounds."""
    try:
        import resource  # noqa: PLC0415 absent on Windows
    except ImportError:
        return
    for kind, bound in (
        (resource.RLIMIT_AS, limits.IMPORT_MEMORY_BYTES_MAX),
        (resource.RLIMIT_CPU, limits.IMPORT_CPU_S_MAX),
        (resource.RLIMIT_CORE, 0),
    ):
        with contextlib.suppress(OSError, ValueError):
            resource.setrlimit(kind, (bound, bound))


def send(frame: Frame) -> None:
    """Write one frame."""
    sys.stdout.buffer.write(encode(frame))
    sys.stdout.buffer.flush()


def main() -> None:
    """Read the file that the arguments name."""
    bind()
    try:
        mapping = msgspec.json.decode(sys.argv[3], type=Mapping) if len(sys.argv) > 3 else {}
        for frame in frames(sys.argv[1], Path(sys.argv[2]), mapping):
            send(frame)
    except ImportFileError as error:
        send(Unreadable(error.code))
    except MemoryError:
        send(Unreadable("import_too_large"))


if __name__ == "__main__":
    main()
