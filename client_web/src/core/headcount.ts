/** A number of people, as somebody types it in a hurry. */

export const HEADCOUNT_MAX = 1_000_000;

/** A whole number of people as typed, dots or spaces between thousands; null where it is none. */
export function peopleIn(text: string): number | null {
  const digits = text.trim().replace(/(?<=\d)[.,\s](?=\d{3}(?!\d))/g, '');
  return /^\d+$/.test(digits) && Number(digits) <= HEADCOUNT_MAX ? Number(digits) : null;
}
