import { expect, test } from 'vitest';

import { fold } from './fold';

test.each([
  ['Nguyễn Thị Hồng Đào', 'nguyen thi hong dao'],
  ['Nguyễn Thị Hồng Đào'.normalize('NFD'), 'nguyen thi hong dao'],
  ["H'Hen Niê", 'hhen nie'],
  ['Y Thông Ê-ban', 'y thong e ban'],
  ['hoà', 'hoa'],
  ['  ', ''],
])('"%s" is found by "%s"', (text, folded) => {
  expect(fold(text)).toBe(folded);
});
