"""Pages without script: templates compiled once, their style inside, nothing else to load."""

from __future__ import annotations

import base64
import hashlib
from functools import partial
from importlib.resources import files
from typing import TYPE_CHECKING

from aiohttp import web
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from diemcau import i18n

if TYPE_CHECKING:
    from diemcau.i18n import Language

CSS = (files("diemcau.web") / "templates" / "check_in.css").read_text(encoding="utf-8").replace("\n", "")
STYLE_HASH = base64.b64encode(hashlib.sha256(CSS.encode()).digest()).decode()
HEADERS = {
    # Not no-store: with it the way back from a receipt ends at the browser's own error page (the answer to a form
    # cannot be had again), and a form that is still good for minutes is asked for anew with a code that has expired.
    "Cache-Control": "private, no-cache",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{STYLE_HASH}'; img-src data:; form-action 'self'; "
        "base-uri 'none'; frame-ancestors 'none'"
    ),
}
OTHER: dict[Language, Language] = {"vi": "en", "en": "vi"}
ENVIRONMENT = Environment(
    loader=PackageLoader("diemcau.web"),
    autoescape=True,
    auto_reload=False,
    undefined=StrictUndefined,
    trim_blocks=True,
    lstrip_blocks=True,
)
ENVIRONMENT.globals["css"] = Markup(CSS)  # noqa: S704 our own file
TEMPLATES = {
    name: ENVIRONMENT.get_template(f"{name}.html") for name in ("who", "guest", "confirm", "receipt", "refused")
}
TEXTS = {language: partial(i18n.text, language) for language in i18n.LANGUAGES}


def page(name: str, language: Language, status: int = 200, **values: object) -> web.Response:
    """The template `name` in `language`. `switch`: what the language link posts; {}: it asks anew; None: no link."""
    body = TEMPLATES[name].render(language=language, other=OTHER[language], t=TEXTS[language], **values)
    return web.Response(body=body.encode(), status=status, headers=HEADERS, content_type="text/html", charset="utf-8")
