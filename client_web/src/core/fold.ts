/** Searching without diacritics, as the server folds (domain/names.py). Pure. */

const APOSTROPHES = /['’‘ʼ`´]/g;
const MARKS = /\p{M}/gu;
const OTHERS = /[^\p{L}\p{N}]+/gu;

/** No diacritics, case or tone placement; apostrophes vanish, other signs become one space. */
export function fold(text: string): string {
  return text
    .toLowerCase()
    .replaceAll('đ', 'd')
    .normalize('NFD')
    .replace(APOSTROPHES, '')
    .replace(MARKS, '')
    .replace(OTHERS, ' ')
    .trim();
}
