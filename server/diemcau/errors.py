"""Every error that a person or a program outside may see: one tree, one class, one stable code.

    DiemcauError
    ├── MalformedError      400 malformed           a field, a row or a whole body is not what it should be
    ├── NotSignedInError    401 not_signed_in       no credential, or one that is no longer valid
    ├── ForbiddenError      403 forbidden           known, but not allowed here (I5)
    │   └── AnnulTooLateError   annul_too_late      an operator takes back what is a few minutes old, no more
    ├── NotFoundError       404 not_found           no such unit, point, attendee, session …
    ├── ConflictError       409 already_exists      a key is taken
    │   ├── InUseError          in_use              something else still refers to it
    │   ├── WrongStateError     wrong_state         the session cannot make this move
    │   ├── NoPointsError       no_points           a session without points cannot be open
    │   ├── SessionKeptError    session_kept        it was open once: its record stays
    │   ├── SessionClosedError  session_closed      the figures are frozen, so the session stays as it is
    │   ├── NonceConflictError  conflict_nonce      this nonce stands for something else already
    │   ├── PaperUndoneError    paper_undone        a sheet that was taken back takes no more lines
    │   ├── PhotoKeptError      photo_kept          the sheet has another photograph, which stays
    │   ├── SpotCheckOverError  spot_check_over     a spot-check takes answers for half an hour after its end
    │   ├── TooManySpotChecksError  too_many_spot_checks  the session has had as many as it may
    │   ├── TooManyKeptError    too_many_kept       so many headcounts, or quick reports, are a program gone wrong
    │   ├── NotFrozenError      not_frozen          a revision needs a session that is closed
    │   ├── NothingWaitingError nothing_waiting     a revision needs entries that came after closing
    │   ├── NotAnnullableError  not_annullable      a correction of a correction: record what is right instead
    │   ├── AlreadyMatchedError already_matched     somebody said before who this person is
    │   ├── JobGoesOnError      job_goes_on         a job that can no longer be given up half-way
    │   ├── ImportNotUndoableError  import_not_undoable  an import that is still under way, or was undone already
    │   ├── NothingToPrintError nothing_to_print    nobody, or no hall, is there to make paper for
    │   └── TooManyDevicesError too_many_devices    the point has as many devices as it may
    ├── PairingError        410 pairing_unknown | pairing_used | pairing_expired
    ├── ImportRejectedError 422 import_rejected     nothing was taken over; row, column and reason of each finding
    ├── TooLargeError       413 too_large           what was sent is over its bound
    ├── ImportFileError     422 import_empty | import_foreign | import_old_excel | import_protected |
    │                           import_damaged | import_encoding | import_too_large
    ├── RateLimitedError    429 rate_limited
    ├── DoorError           4xx code_expired, code_invalid, claim_expired, claim_used_up, not_open, closed,
    │                           unknown_attendee, ambiguous_name, revoked
    ├── ExportFailedError   500 export_failed       the file could not be written; the records are whole
    ├── ReportTooLongError  422 report_too_long     more rows than a PDF may have: XLSX takes them all
    ├── LogBrokenError      500 log_broken          a stored entry is gone or not what was recorded (I4)
    ├── FileFlawError       (command line only) file_flaw: a file that does not verify, and where
    │   └── EntryFlawError      entry_flaw          the same, with the place in its chain
    ├── OverloadedError     503 overloaded          the writing queue is full; retry after a while
    └── StartError          (command line only)     the server cannot start: port taken, disk full, database locked

Texts live in the dictionaries under `error.<code>`; an error carries only its code and the parameters of
its text, so that every reader gets it in their own language.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar


class DiemcauError(Exception):
    """The root. `code` is stable and public, `status` is its HTTP status, `params` fill its text."""

    code = "internal"
    status = 500

    def __init__(self, **params: str | float) -> None:
        super().__init__(self.code, params)
        self.params = params

    def __str__(self) -> str:
        """The code and its parameters, for logs; people read the dictionary's text instead."""
        return f"{self.code} {self.params}" if self.params else self.code


class MalformedError(DiemcauError):
    """Input that cannot be read. Params: `field` (where), `reason` (what is wrong, a dictionary key or words)."""

    code = "malformed"
    status = 400


class NotSignedInError(DiemcauError):
    """No credential was given, or it is unknown, expired or revoked."""

    code = "not_signed_in"
    status = 401


class WrongPasswordError(DiemcauError):
    """Name and password do not belong together; which of the two is wrong is not said."""

    code = "wrong_password"
    status = 401


class ForbiddenError(DiemcauError):
    """The actor is known but may not do this, or not there (I5)."""

    code = "forbidden"
    status = 403


class AnnulTooLateError(ForbiddenError):
    """An operator's device takes back what it recorded itself within a few minutes. Params: `minutes`."""

    code = "annul_too_late"


class NotFoundError(DiemcauError):
    """Params: `what` (unit, point, attendee, session, job …) and `key`."""

    code = "not_found"
    status = 404


class ConflictError(DiemcauError):
    """The key is taken. Params: `what` and `key`."""

    code = "already_exists"
    status = 409


class InUseError(ConflictError):
    """It cannot be deleted while something refers to it. Params: `what`, `key`, `by`."""

    code = "in_use"


class WrongStateError(ConflictError):
    """A session cannot make this move. Params: `state` (now), `to` (wanted), `allowed` (comma-separated)."""

    code = "wrong_state"


class NoPointsError(ConflictError):
    """A session that is open needs at least one point. Params: `key`."""

    code = "no_points"


class SessionKeptError(ConflictError):
    """A session that was ever open, or has records, cannot be deleted (I4). Params: `key`."""

    code = "session_kept"


class SessionClosedError(ConflictError):
    """The session's figures are frozen; nothing of it changes any more. Params: `key`."""

    code = "session_closed"


class NonceConflictError(ConflictError):
    """A nonce that was recorded with another content; nothing was written."""

    code = "conflict_nonce"


class SpotCheckOverError(ConflictError):
    """A spot-check that takes no answers any more."""

    code = "spot_check_over"


class PaperUndoneError(ConflictError):
    """A sheet that was taken back takes no more lines."""

    code = "paper_undone"


class PhotoKeptError(ConflictError):
    """A sheet has a photograph already, and it is another one."""

    code = "photo_kept"


class TooManySpotChecksError(ConflictError):
    """A session has had as many spot-checks as it may. Params: `key`, `max`."""

    code = "too_many_spot_checks"


class TooManyKeptError(ConflictError):
    """Of what is kept for ever there are as many as there may be. Params: `what`, `max`."""

    code = "too_many_kept"


class NotFrozenError(ConflictError):
    """Only frozen figures can be revised. Params: `key`."""

    code = "not_frozen"


class NothingWaitingError(ConflictError):
    """A revision without an entry that waits for one would freeze the same figures again. Params: `key`."""

    code = "nothing_waiting"


class NotAnnullableError(ConflictError):
    """What is no entry of a person cannot be taken back; what is right is recorded instead."""

    code = "not_annullable"


class AlreadyMatchedError(ConflictError):
    """Somebody said before who this unlisted person is; that match must be taken back first."""

    code = "already_matched"


class JobGoesOnError(ConflictError):
    """The job is under way and cannot be given up without leaving something half done. Params: `key`."""

    code = "job_goes_on"


class ImportNotUndoableError(ConflictError):
    """The import is still being written or undone, or was undone already. Params: `key`."""

    code = "import_not_undoable"


class NothingToPrintError(ConflictError):
    """Nobody, or no hall, is there to make paper for."""

    code = "nothing_to_print"


class TooManyDevicesError(ConflictError):
    """A point has as many paired devices as it may. Params: `point`, `max`."""

    code = "too_many_devices"


class PairingError(DiemcauError):
    """A pairing code that cannot be used; `code` says why."""

    status = 410

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__()


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing wrong in an imported file. `row` counts as the spreadsheet does, from 1, header included.

    sheet: its name where the workbook has several.
    """

    row: int
    column: str
    reason: str
    value: str = ""
    sheet: str = ""


class ImportRejectedError(DiemcauError):
    """The file was not taken over; nothing changed. `findings` names each place; `total` may exceed their number."""

    code = "import_rejected"
    status = 422

    def __init__(self, findings: list[Finding], total: int | None = None) -> None:
        self.findings = findings
        self.total = len(findings) if total is None else total
        super().__init__(count=self.total)


class TooLargeError(DiemcauError):
    """What was sent is over its bound."""

    code = "too_large"
    status = 413


class ImportFileError(DiemcauError):
    """A file that cannot be read as a table at all; `code` says why, its text what to do."""

    status = 422

    def __init__(self, code: str) -> None:
        self.code = code
        super().__init__()


class RateLimitedError(DiemcauError):
    """Too many attempts. Params: `retry_after_s`."""

    code = "rate_limited"
    status = 429


class DoorError(DiemcauError):
    """A refusal at the door (DESIGN.md §6); `code` is one of the stable refusals."""

    STATUS: ClassVar[dict[str, int]] = {
        "code_expired": 410,
        "code_invalid": 404,
        "claim_expired": 410,
        "claim_used_up": 409,
        "not_open": 409,
        "closed": 409,
        "unknown_attendee": 404,
        "ambiguous_name": 409,
        "revoked": 410,
    }

    def __init__(self, code: str, **params: str | float) -> None:
        self.code = code
        self.status = self.STATUS[code]
        super().__init__(**params)


class ReportTooLongError(DiemcauError):
    """A PDF of so many rows would take the server's memory; as XLSX it goes out. Params: `rows`: the most it has."""

    code = "report_too_long"
    status = 422


class ExportFailedError(DiemcauError):
    """An export's file could not be written, mostly for want of disk space; nothing recorded is touched."""

    code = "export_failed"


class LogBrokenError(DiemcauError):
    """The database's own log was changed behind our back (I4); nothing of it was signed.

    Params: `session`, `writer` (whose chain, hex), `position` (of the first entry that is missing or wrong).
    """

    code = "log_broken"


class FileFlawError(DiemcauError):
    """A log or minutes that is not as it was signed. Params: `line` (from 1), `what` (a dictionary key)."""

    code = "file_flaw"


class EntryFlawError(FileFlawError):
    """A log with a flaw at an entry. Params besides: `writer` (whose chain, hex), `position` (which must be there)."""

    code = "entry_flaw"


class OverloadedError(DiemcauError):
    """The writing queue is full or the commit's fate is unknown. Params: `retry_after_s`."""

    code = "overloaded"
    status = 503


class StartError(DiemcauError):
    """The server, or a command, cannot start; `code` names the dictionary text that says what to do."""

    def __init__(self, code: str, **params: str | float) -> None:
        self.code = code
        super().__init__(**params)
