import { expect, test } from 'vitest';

import { nonceKeeper } from './nonces';

test('a correction that is sent again is the same one; a changed one is another', () => {
  let made = 0;
  const nonce = nonceKeeper(() => String(++made));
  expect([nonce({ reason: 'nhầm' }), nonce({ reason: 'nhầm' }), nonce({ reason: 'nhầm người' })]).toEqual(['1', '1', '2']);
});
