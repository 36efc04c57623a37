/** The colours of app.css keep the contrast a reader needs: 4.5 for text, 3 for shapes. */
import { readFileSync } from 'node:fs';

import { describe, expect, test } from 'vitest';

const css = readFileSync(new URL('./app.css', import.meta.url), 'utf8');
const [light = '', dark = ''] = css.split('@media (prefers-color-scheme: dark)');

function colour(sheet: string, token: string): string {
  const found = new RegExp(`--${token}: (#[0-9a-f]{6});`).exec(sheet)?.[1];
  if (!found) throw new Error(`app.css has no colour --${token}`);
  return found;
}

/** Relative luminance of `#rrggbb` as WCAG 2 defines it. */
function luminance(hex: string): number {
  const [red = 0, green = 0, blue = 0] = [1, 3, 5].map((at) => {
    const part = parseInt(hex.slice(at, at + 2), 16) / 255;
    return part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

function contrast(one: string, other: string): number {
  const [darker = 0, lighter = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
  return (lighter + 0.05) / (darker + 0.05);
}

describe.each([
  ['light', light],
  ['dark', dark],
])('%s', (_name, sheet) => {
  test.each([
    ['ink', 'paper', 4.5],
    ['ink', 'card', 4.5],
    ['ink', 'online-tile', 4.5],
    ['ink-quiet', 'paper', 4.5],
    ['ink-quiet', 'card', 4.5],
    ['press', 'paper', 4.5],
    ['on-press', 'press', 4.5],
    ['online', 'card', 4.5],
    ['degraded', 'card', 4.5],
    ['lost', 'card', 4.5],
    ['unknown', 'card', 4.5],
    ['online', 'online-tile', 3],
  ])('%s can be told from %s', (front, back, least) => {
    expect(contrast(colour(sheet, front), colour(sheet, back))).toBeGreaterThanOrEqual(least);
  });
});
