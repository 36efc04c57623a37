"""PDF by typst: a template of `reports/templates/`, given its content as JSON, set in the typeface that we ship.

Seconds of CPU for long papers: call it in a process of its own, as every report and job is.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path
from typing import Any

import msgspec
import typst

from diemcau.errors import ExportFailedError

PACKAGE = Path(str(files("diemcau")))
TEMPLATES = PACKAGE / "reports" / "templates"
FONTS = PACKAGE / "static" / "print"
FONT = "Be Vietnam Pro"


def pdf(template: str, content: Any) -> bytes:  # noqa: ANN401 whatever JSON can say
    """The paper: `template` is a file's name without `.typ`; it reads `content` by `json(bytes(sys.inputs.content))`.

    Raises:
        ExportFailedError: the template does not compile with this content, or the typeface was not built.
    """
    if not any(FONTS.glob("*.ttf")):
        raise ExportFailedError
    try:
        made = typst.compile(
            str(TEMPLATES / f"{template}.typ"),
            root=str(TEMPLATES),
            font_paths=[str(FONTS)],
            ignore_system_fonts=True,
            sys_inputs={"content": msgspec.json.encode(content).decode()},
        )
    except typst.TypstError as error:
        raise ExportFailedError from error
    assert isinstance(made, bytes)  # noqa: S101 one document, no output path
    return made
