import { expect, test } from 'vitest';

import { treeOf } from './tree';

const unit = (code: string, parent: string | null = null) => ({ code, name: code, parent, level: '' });
const lines = (tree: ReturnType<typeof treeOf>) => tree.map(({ unit, depth }) => `${depth} ${unit.code}`);

test('communes stand under their district, districts under their city', () => {
  const units = [unit('HN'), unit('BD', 'HN'), unit('HK', 'HN'), unit('BD-1', 'BD'), unit('HK-1', 'HK')];
  expect(lines(treeOf(units))).toEqual(['0 HN', '1 BD', '2 BD-1', '1 HK', '2 HK-1']);
});

test('a search result without its parent is still shown', () => {
  expect(lines(treeOf([unit('BD-1', 'BD'), unit('X')]))).toEqual(['0 BD-1', '0 X']);
});
