"""Rows of a file on their way to the database: units, points and people found, codes made, questions gathered."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from diemcau import limits
from diemcau.domain.names import fold
from diemcau.domain.same_person import Person, code_prefix, made_code, same, the_same
from diemcau.domain.unit_names import Answer, NamedUnit, UnitBook
from diemcau.errors import Finding
from diemcau.intake.frames import DERIVED
from diemcau.store import imports, intake_lookup
from diemcau.wire.imports import ImportFinding, ImportPreview, ImportRow, UnitChoice, UnitQuestion

if TYPE_CHECKING:
    from diemcau.domain.authority import Scope
    from diemcau.intake.frames import Ended, Opened, Rows
    from diemcau.store.engine import Connection

Cells = list[str | int]
Resolved = tuple[int, str, tuple[Any, ...]]
"""A row's number, its code, and its values with ids in place of what they name, in the order of the fields."""

State = Literal["new", "changed", "unchanged", "rejected"]
DERIVED_FIELDS = frozenset(name for names in DERIVED.values() for name in names)
COLUMN_OF = {"unit_code": "unit_id", "point_code": "point_id"}
REASON_OF = {"unknown": "reason.unit_unknown", "ambiguous": "reason.unit_ambiguous", "missing": "reason.unit_missing"}


@dataclass(slots=True)
class Lookups:
    """What rows may refer to. `places`: id and path of every unit by code, those out of scope too."""

    scope: Scope
    units: UnitBook
    places: Mapping[str, tuple[int, str]]
    points: Mapping[str, int]
    point_codes: Mapping[str, list[str]]


async def look_up(connection: Connection, what: str, scope: Scope, answers: Mapping[str, str]) -> Lookups:
    """Everything that rows may refer to. `answers`: units' codes by their names in the file."""
    every = await intake_lookup.named_units(connection)
    coded = {fold(name): code.upper() for name, code in answers.items()}
    points = await imports.point_ids(connection) if what == "attendees" else {}
    names: dict[str, list[str]] = {}
    if what == "attendees":
        for code, folded in await intake_lookup.point_names(connection):
            names.setdefault(folded, []).append(code)
    book = UnitBook([unit for unit in every if scope.covers(unit.path)], coded)
    return Lookups(scope, book, {unit.code: (unit.unit_id, unit.path) for unit in every}, points, names)


@dataclass(slots=True)
class RowReader:
    """Resolves a file's rows, frame by frame; after the last one its findings and questions are complete.

    opened: the sheet being read. `first`: the first rows, as a trial shows them. `rejected`: rows with findings.
    """

    what: str
    lookups: Lookups
    opened: Opened
    findings: list[Finding] = field(default_factory=list)
    findings_total: int = 0
    rejected: int = 0
    codes_made: int = 0
    ignored: list[str] = field(default_factory=list)
    first: dict[tuple[str, int], ImportRow] = field(default_factory=dict)
    questions: dict[str, UnitQuestion] = field(default_factory=dict)
    _taken: set[str] = field(default_factory=set)
    _people: dict[tuple[str, int], list[Person]] = field(default_factory=dict)
    _numbers: dict[str, int] = field(default_factory=dict)
    _unsaid: list[int] = field(default_factory=list)

    def open(self, opened: Opened) -> None:
        """Begin another sheet."""
        self.opened = opened
        self.ignored += [header for header in opened.ignored if header not in self.ignored]
        unsaid = set(opened.unsaid)
        self._unsaid = [place for place, name in enumerate(opened.fields[1:]) if name in unsaid]

    @property
    def columns(self) -> list[str]:
        """The database's columns of a resolved row's values."""
        return [COLUMN_OF.get(name, name) for name in self.opened.fields[1:]]

    def kept(self, values: tuple[Any, ...], before: tuple[Any, ...]) -> tuple[Any, ...]:
        """The values, with what this sheet does not say as it was."""
        if not self._unsaid:
            return values
        merged = list(values)
        for place in self._unsaid:
            merged[place] = before[place]
        return tuple(merged)

    async def rows(self, connection: Connection, rows: Rows) -> list[Resolved]:
        """The rows of a frame that can be used; the others are findings."""
        resolved: list[Resolved] = []
        for number, cells in rows.unfit:
            self._resolve(number, cells)
            self.reject(number, cells)
        for number, cells in rows.rows:
            values = self._resolve(number, cells)
            if values is None:
                self.reject(number, cells)
            else:
                resolved.append((number, str(cells[0]), values))
                self._show(number, cells)
        if self.what == "attendees":
            resolved = await self._with_codes(connection, resolved)
        return resolved

    def note(self, row: int, column: str, reason: str, value: str) -> None:
        """Something is wrong in a row; `column` is a field's name."""
        self.findings_total += 1
        if len(self.findings) < limits.IMPORT_FINDINGS_MAX:
            header = self.opened.headers.get(column, column)
            self.findings.append(Finding(row, header, reason, value, self.opened.sheet))

    def reject(self, row: int, cells: Cells | None = None) -> None:
        """A row that is left out."""
        self.rejected += 1
        if cells is not None:
            self._show(row, cells)
        self.mark(row, "rejected")

    def mark(self, row: int, state: State) -> None:
        """What becomes of a row, where it is one of those that a trial shows."""
        shown = self.first.get((self.opened.sheet, row))
        if shown:
            shown.state = state

    # --- units and points ------------------------------------------------------------------------------------
    def _resolve(self, number: int, cells: Cells) -> tuple[Any, ...] | None:
        values: list[Any] = []
        fit = True
        for name, cell in zip(self.opened.fields[1:], cells[1:], strict=True):
            if name == "unit_code":
                unit_id = self._unit(number, str(cell))
                fit = fit and unit_id is not None
                values.append(unit_id)
            elif name == "point_code":
                code = self._point(number, str(cell)) if cell else None
                fit = fit and (code is not None or not cell)
                values.append(self.lookups.points[code] if code else None)
            else:
                values.append(cell)
        return tuple(values) if fit else None

    def _unit(self, number: int, text: str) -> int | None:
        answer = self.lookups.units.find(text)
        if answer.unit:
            return answer.unit.unit_id
        if text.upper() in self.lookups.places:
            self.note(number, "unit_code", "reason.forbidden", text)
        elif text or "unit_code" not in self.opened.headers:  # an empty cell is a finding already
            self.note(number, "unit_code", REASON_OF[answer.reason], text)
            self._ask(number, text, answer)
        return None

    def _ask(self, number: int, text: str, answer: Answer) -> None:
        key = fold(text)
        question = self.questions.get(key)
        if question:
            question.rows += 1
        elif len(self.questions) < limits.IMPORT_QUESTIONS_MAX and answer.reason:
            choices = [self._choice(unit) for unit in answer.candidates]
            self.questions[key] = UnitQuestion(key, text, answer.reason, number, 1, choices)

    def _choice(self, unit: NamedUnit) -> UnitChoice:
        above = ", ".join(upper.name for upper in self.lookups.units.above(unit))
        return UnitChoice(unit.code, unit.name, above)

    def _point(self, number: int, text: str) -> str | None:
        if text.upper() in self.lookups.points:
            return text.upper()
        codes = self.lookups.point_codes.get(fold(text), [])
        if len(codes) == 1:
            return codes[0]
        if codes:
            shown = f"{text}: {', '.join(codes[:5])}"
            self.note(number, "point_code", "reason.point_ambiguous", shown)
        else:
            self.note(number, "point_code", "reason.point_unknown", text)
        return None

    # --- people without codes --------------------------------------------------------------------------------
    async def _with_codes(self, connection: Connection, resolved: list[Resolved]) -> list[Resolved]:
        """The rows with a code each: that of who is listed already, or a new one."""
        nameless = [values for _, code, values in resolved if not code]
        if not nameless:
            self._taken.update(code for _, code, _ in resolved)
            return resolved
        place = {name: at for at, name in enumerate(self.columns)}
        folded = {str(values[place["name_folded"]]) for values in nameless}
        known = await intake_lookup.namesakes(connection, folded)
        await self._count_on(connection, {values[place["unit_id"]] for values in nameless})
        coded: list[Resolved] = []
        for number, code, values in resolved:
            person = Person(*(values[place[name]] for name in ("name_folded", "sort_key", "title", "phone_digits")))
            unit_id = values[place["unit_id"]]
            given = code or self._code_of(number, person, unit_id, known.get((person.name_folded, unit_id), []))
            if given and given in self._taken:
                self.note(number, "code", "reason.duplicate", given)
                given = ""
            if given:
                self._taken.add(given)
                coded.append((number, given, values))
                self._show_code(number, given)
            else:
                self.reject(number)
        return coded

    def _code_of(self, number: int, person: Person, unit_id: int, known: list[tuple[str, Person]]) -> str:
        """The code of somebody who has none in the file; "" when nobody can say who is meant."""
        listed = self._people.setdefault((person.name_folded, unit_id), [])
        if any(same(person, other) for other in listed):
            self.note(number, "full_name", "reason.duplicate_person", person.title or person.phone_digits)
            return ""
        listed.append(person)
        codes = the_same(person, known)
        if len(codes) > 1:
            self.note(number, "full_name", "reason.namesakes", ", ".join(codes[:5]))
            return ""
        if codes:
            return codes[0]
        self.codes_made += 1
        prefix = self._prefix(unit_id)
        self._numbers[prefix] += 1
        return made_code(prefix, self._numbers[prefix])

    async def _count_on(self, connection: Connection, unit_ids: Collection[int]) -> None:
        for unit_id in unit_ids:
            prefix = self._prefix(unit_id)
            if prefix not in self._numbers:
                self._numbers[prefix] = await intake_lookup.highest_number(connection, prefix)

    def _prefix(self, unit_id: int) -> str:
        return code_prefix(self.lookups.units.by_id[unit_id].code, limits.CODE_CHARS_MAX)

    # --- what a trial shows ----------------------------------------------------------------------------------
    def _show(self, number: int, cells: Cells) -> None:
        if len(self.first) < limits.IMPORT_ROWS_SHOWN:
            named = zip(self.opened.fields, cells, strict=True)
            values = {name: str(cell) for name, cell in named if name not in DERIVED_FIELDS}
            unit = self.lookups.units.find(values["unit_code"]).unit
            if unit:
                values |= {"unit_code": unit.code, "unit": unit.name}
            self.first[self.opened.sheet, number] = ImportRow(number, "new", values, self.opened.sheet)

    def _show_code(self, number: int, code: str) -> None:
        shown = self.first.get((self.opened.sheet, number))
        if shown:
            shown.values["code"] = code


def preview(ended: Ended, reader: RowReader | None) -> ImportPreview:
    """What a trial of points or people tells."""
    if reader is None:
        return told_of(ended, [], 0)
    told = told_of(ended, reader.findings, reader.findings_total)
    told.fields = [name for name in reader.opened.fields if name not in DERIVED_FIELDS]
    told.rows = list(reader.first.values())
    told.questions = list(reader.questions.values())
    if reader.codes_made:
        told.notes.append(f"import.note.codes_made {reader.codes_made}")
    return told


def told_of(ended: Ended, findings: list[Finding], total: int) -> ImportPreview:
    """What reading a file tells, and findings about it.

    Reasons, and notes with their numbers behind, are keys of the dictionaries; whoever shows them words them.
    """
    every = sorted([*ended.findings, *findings], key=lambda finding: (finding.sheet, finding.row))
    return ImportPreview(
        [],
        ended.sheets,
        skipped={kind: count for kind, count in ended.skipped.items() if count},
        notes=[f"{key} {count}" for key, count in sorted(ended.notes.items()) if count],
        findings=[
            ImportFinding(f.row, f.column, f.reason, f.value, f.sheet) for f in every[: limits.IMPORT_FINDINGS_MAX]
        ],
        findings_total=ended.findings_total + total,
    )
