import { expect, test } from 'vitest';

import { newReasons } from './reasons';

test('a reason that somebody adds gets a code of its own, and those that are there keep theirs', () => {
  const lines = [
    { code: 'ILL', name: ' Ốm đau ' },
    { code: '', name: 'Đi học' },
    { code: '', name: 'đi học' },
    { code: '', name: '…' },
    { code: '', name: 'Ill' },
    { code: '', name: '  ' },
  ];
  expect(newReasons(lines)).toEqual([
    { code: 'ILL', name: 'Ốm đau' },
    { code: 'DI-HOC', name: 'Đi học' },
    { code: 'DI-HOC-2', name: 'đi học' },
    { code: 'R', name: '…' },
    { code: 'ILL-2', name: 'Ill' },
  ]);
});
