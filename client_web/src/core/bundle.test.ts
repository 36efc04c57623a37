/** The same badges and the same bundle as the server's tests: tests/contract/bundle.json. */
import { readFileSync } from 'node:fs';

import { afterEach, describe, expect, test, vi } from 'vitest';

import { badgeText, findPerson, mayOpen, parseBadge } from './bundle';
import type { Bundle, BundlePerson } from './wire_check_ins';

interface Contract {
  badges: { token: string; text: string; link: string; person: BundlePerson }[];
  unknown: string;
  read: { typed: string; token: string | null }[];
  bundle: Bundle;
}
const contract = JSON.parse(
  readFileSync(new URL('../../../tests/contract/bundle.json', import.meta.url), 'utf8'),
) as Contract;

const bytes = (base64: string): Uint8Array<ArrayBuffer> => Uint8Array.from(Buffer.from(base64, 'base64'));

function token(text: string): Uint8Array<ArrayBuffer> {
  const found = parseBadge(text);
  if (!found) throw new Error(`${text} is no badge`);
  return found;
}

afterEach(() => {
  vi.unstubAllGlobals();
});

describe('badges', () => {
  test.each(contract.badges)('$text is the same 16 bytes as on the server', (badge) => {
    expect(parseBadge(badge.text)).toEqual(bytes(badge.token));
    expect(badgeText(badge.link)).toBe(badge.text);
  });

  test.each(contract.read)('"$typed" is read as the server reads it', ({ typed, token: expected }) => {
    expect(parseBadge(typed)).toEqual(expected === null ? null : bytes(expected));
  });
});

describe('the sealed bundle', () => {
  test.each(contract.badges)('the badge of $person.full_name opens their entry', async (badge) => {
    expect(await findPerson(contract.bundle, token(badge.link))).toEqual(badge.person);
  });

  test('a badge of another hall names nobody', async () => {
    expect(await findPerson(contract.bundle, token(contract.unknown))).toBeNull();
  });

  test('an entry whose hash begins alike, or that was damaged, is passed over', async () => {
    const [badge] = contract.badges;
    if (!badge) throw new Error('no badge');
    const wanted = token(badge.text);
    const entries: Bundle['entries'] = [];
    for (const [hash, sealed] of contract.bundle.entries) {
      const own = (await findPerson({ ...contract.bundle, entries: [[hash, sealed]] }, wanted)) !== null;
      if (!own) continue;
      entries.push([hash, 'AAAA'], [hash, '***'], ...contract.bundle.entries.map(([, other]) => [hash, other] as [string, string]));
    }
    expect(entries).toHaveLength(2 + contract.badges.length);
    expect(await findPerson({ ...contract.bundle, entries }, wanted)).toEqual(badge.person);
  });

  test('of another salt opens nothing', async () => {
    const [badge] = contract.badges;
    const salt = Buffer.alloc(16).toString('base64');
    expect(await findPerson({ ...contract.bundle, salt }, token(badge?.text ?? ''))).toBeNull();
  });

  test('without HTTPS nobody is named, nothing breaks, and the page can tell', async () => {
    expect(mayOpen()).toBe(true);
    vi.stubGlobal('crypto', {});
    expect(mayOpen()).toBe(false);
    expect(await findPerson(contract.bundle, token(contract.badges[0]?.text ?? ''))).toBeNull();
  });
});
