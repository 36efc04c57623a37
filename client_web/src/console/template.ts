/** Files made in the browser for filling in: the columns that an import understands, with two lines as examples. Pure. */

export type Imported = 'units' | 'points' | 'attendees';

const COLUMNS: Record<Imported, readonly string[]> = {
  units: ['code', 'name', 'parent_code', 'level'],
  points: ['code', 'name', 'unit_code', 'capacity', 'mode', 'contact_name', 'contact_phone', 'cluster', 'carrier'],
  attendees: ['code', 'full_name', 'title', 'unit_code', 'point_code', 'phone'],
};

const EXAMPLES: Record<Imported, readonly (readonly string[])[]> = {
  units: [
    ['HUYEN', 'Huyện Phú Xuyên', '', 'huyện'],
    ['XA-1', 'Xã Đại Thắng', 'HUYEN', 'xã'],
  ],
  points: [
    ['TT', 'Hội trường trung tâm', 'HUYEN', '300', 'center', 'Nguyễn Văn An', '0912000001', '', ''],
    ['XA-1', 'Hội trường xã Đại Thắng', 'XA-1', '80', 'online', 'Trần Thị Bình', '0912000002', '', ''],
  ],
  attendees: [
    ['DB-001', 'Nguyễn Thị Hồng Đào', 'Chủ tịch', 'XA-1', 'XA-1', '0912000003'],
    ['DB-002', 'Lê Văn Cường', 'Chuyên viên', 'HUYEN', 'TT', '0912000004'],
  ],
};

export function columnsOf(what: Imported): readonly string[] {
  return COLUMNS[what];
}

/** A CSV that Excel opens rightly: with a byte order mark, so that Vietnamese letters survive. */
export function templateOf(what: Imported): string {
  const lines = [COLUMNS[what], ...EXAMPLES[what]].map((cells) => cells.join(','));
  return `\uFEFF${lines.join('\r\n')}\r\n`;
}

/** Whether the name is one of a file that can be imported. */
export function importable(name: string): boolean {
  return /\.(csv|xlsx)$/i.test(name);
}
