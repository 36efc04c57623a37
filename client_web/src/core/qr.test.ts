import { expect, test } from 'vitest';

import { qrPath } from './qr';

test.each([
  'HTTPS://DIEMDANH.EXAMPLE.VN/C/AAAAAAPTOUMAVOUSRCCA',
  'HTTPS://A-HOST-NAME-OF-THIRTY-CHARS.VN/C/AAAAAAPTOUMAVOUSRCCA'.slice(0, 61),
])('the code of %s stays at version 3, readable from the back of the hall', (text) => {
  expect(qrPath(text)).toMatchObject({ version: 3, size: 29 + 8 });
});

test('a short address does not make a smaller code than its neighbours', () => {
  expect(qrPath('HTTP://10.0.0.2/C/AAAAAAPTOUMAVOUSRCCA').version).toBe(3);
});

test('the quiet zone around the code stays empty', () => {
  const { path } = qrPath('HTTPS://A.VN/C/AAAAAAPTOUMAVOUSRCCA');
  const starts = [...path.matchAll(/M(\d+) (\d+)h(\d+)/g)].map(([, x, y, width]) => [Number(x), Number(y), Number(x) + Number(width)]);
  expect(Math.min(...starts.flatMap(([x = 0, y = 0]) => [x, y]))).toBe(4);
  expect(Math.max(...starts.map(([, , end = 0]) => end))).toBe(33);
});
