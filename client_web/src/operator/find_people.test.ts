import { expect, test } from 'vitest';

import { findPeople } from './find_people';

const names = ['Nguyễn Thị Hồng Đào', 'Nguyễn Thị Hiền', "H'Hen Niê", 'Y Thông Ê-ban', 'Trần Văn Ánh'];
const roster = names.map((full_name, at) => ({ number: at + 1, code: `DB-000${at + 1}`, full_name }));
const found = (typed: string): string[] => findPeople(roster, typed).map(({ full_name }) => full_name);

test.each([
  ['without diacritics', 'hong dao', ['Nguyễn Thị Hồng Đào']],
  ['the given name alone', 'Hiền', ['Nguyễn Thị Hiền']],
  ['unfinished words', 'ng thi h', ['Nguyễn Thị Hồng Đào', 'Nguyễn Thị Hiền']],
  ['names of other peoples', 'hhen', ["H'Hen Niê"]],
  ['names of other peoples as they are called', 'hen nie', ["H'Hen Niê"]],
  ['parts in any order', 'ban y', ['Y Thông Ê-ban']],
  ['a code', 'db-0005', ['Trần Văn Ánh']],
  ['one word does not count twice', 'tran tran', []],
  ['nothing yet', ' ', []],
])('%s', (_name, typed, expected) => expect(found(typed)).toEqual(expected));
