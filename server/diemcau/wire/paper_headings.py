"""What stands at the top of papers: of this organization, and of one session's own."""

from __future__ import annotations

from typing import Annotated

from msgspec import UNSET, Meta, Struct, UnsetType

from diemcau import limits

Line = Annotated[str, Meta(max_length=limits.NAME_CHARS_MAX)]
Percent = Annotated[int, Meta(ge=1, le=100)]


class Organization(Struct):
    """Who issues the papers. Each text may be empty and is then left out.

    superior: the organization above it, printed above the name; place: before the date.
    motto: what stands on the right of the heading, lines divided by line breaks; signer: above the signature.
    """

    name: str = ""
    superior: str = ""
    place: str = ""
    motto: str = ""
    signer: str = ""


class OrganizationPatch(Struct, forbid_unknown_fields=True):
    """Change what is given."""

    name: Line | UnsetType = UNSET
    superior: Line | UnsetType = UNSET
    place: Line | UnsetType = UNSET
    motto: Line | UnsetType = UNSET
    signer: Line | UnsetType = UNSET


class SessionHeading(Struct):
    """What a session's papers bear of their own.

    document_number: as in 23-CT/TU; document_date: as it is to be printed; place: instead of the organization's.
    target_rate: percent of the summoned that each unit is to reach; null: none is set.
    """

    document_number: str = ""
    document_date: str = ""
    place: str = ""
    target_rate: int | None = None


class SessionHeadingPatch(Struct, forbid_unknown_fields=True):
    """Change what is given; a target of null takes it away."""

    document_number: Line | UnsetType = UNSET
    document_date: Line | UnsetType = UNSET
    place: Line | UnsetType = UNSET
    target_rate: Percent | UnsetType | None = UNSET
