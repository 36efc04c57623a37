/** Files made in the browser for filling in: the columns that an import understands, with two lines as examples. Pure. */
import type { Language } from '../core/i18n';

export type Imported = 'units' | 'points' | 'attendees';

/** A column: how a reader of Vietnamese and one of English call it (the server knows both), and whether each line needs it. */
type Column = readonly [vi: string, en: string, required?: true];

const COLUMNS: Record<Imported, readonly Column[]> = {
  units: [
    ['Mã', 'code', true],
    ['Tên', 'name', true],
    ['Mã đơn vị cấp trên', 'parent_code'],
    ['Cấp', 'level'],
  ],
  points: [
    ['Mã', 'code', true],
    ['Tên', 'name', true],
    ['Mã đơn vị', 'unit_code', true],
    ['Sức chứa', 'capacity'],
    ['Hình thức', 'mode'],
    ['Đầu mối', 'contact_name'],
    ['SĐT đầu mối', 'contact_phone'],
    ['Cụm', 'cluster'],
    ['Nhà mạng', 'carrier'],
  ],
  attendees: [
    ['Mã', 'code'],
    ['Họ và tên', 'full_name', true],
    ['Chức vụ', 'title'],
    ['Mã đơn vị', 'unit_code', true],
    ['Mã điểm cầu', 'point_code'],
    ['Số điện thoại', 'phone'],
  ],
};

const EXAMPLES: Record<Imported, readonly (readonly string[])[]> = {
  units: [
    ['HUYEN', 'Huyện Phú Xuyên', '', 'huyện'],
    ['XA-1', 'Xã Đại Thắng', 'HUYEN', 'xã'],
  ],
  points: [
    ['TT', 'Hội trường trung tâm', 'HUYEN', '300', 'Trung tâm', 'Nguyễn Văn An', '0912000001', '', ''],
    ['XA-1', 'Hội trường xã Đại Thắng', 'XA-1', '80', 'Trực tuyến', 'Trần Thị Bình', '0912000002', '', ''],
  ],
  attendees: [
    ['DB-001', 'Nguyễn Thị Hồng Đào', 'Chủ tịch', 'XA-1', 'XA-1', '0912000003'],
    ['DB-002', 'Lê Văn Cường', 'Chuyên viên', 'HUYEN', 'TT', '0912000004'],
  ],
};

/** The header row of a file, as a reader of this language writes it. */
export function columnsOf(what: Imported, language: Language): readonly string[] {
  return COLUMNS[what].map(([vi, en]) => (language === 'vi' ? vi : en));
}

/** The same for reading: what each line needs is marked with a star. */
export function describedColumns(what: Imported, language: Language): string {
  return COLUMNS[what].map(([vi, en, required]) => (language === 'vi' ? vi : en) + (required ? '*' : '')).join(', ');
}

/** What a column of a file may be read as, with its name for a reader of this language. */
export function fieldsOf(what: Imported, language: Language): readonly (readonly [field: string, label: string])[] {
  return COLUMNS[what].map(([vi, en]) => [en, language === 'vi' ? vi : en] as const);
}

/** A CSV that Excel opens rightly: with a byte order mark, so that Vietnamese letters survive. */
export function templateOf(what: Imported, language: Language): string {
  const lines = [columnsOf(what, language), ...EXAMPLES[what]].map((cells) => cells.join(','));
  return `\uFEFF${lines.join('\r\n')}\r\n`;
}

/** Whether the name is one of a file that can be imported. */
export function importable(name: string): boolean {
  return /\.(csv|xlsx|xlsm)$/i.test(name);
}
