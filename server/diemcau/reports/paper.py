"""The heading of an office's paper, as every template takes it: who issues it, number, place and date, who signs."""

from __future__ import annotations

import msgspec


class PaperHead(msgspec.Struct, frozen=True):
    """What stands at the top of a paper, and below it; `paper.typ` prints it (`heading_of`, `signature_of`).

    superior, organization: on the left, the one above the other; number: below them, as in 23-CT/TU.
    motto: on the right, one line or two; place_and_date: below it. signer: above the room for a signature.
    Each may be empty and is then left out.
    """

    superior: str = ""
    organization: str = ""
    motto: str = ""
    number: str = ""
    place_and_date: str = ""
    signer: str = ""
