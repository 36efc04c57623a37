/** Between the times of the wire (ms, UTC) and what a form's date field holds (local, minutes). Pure. */

/** What `<input type="datetime-local">` shows for a moment. */
export function fieldOf(ms: number): string {
  const at = new Date(ms);
  const two = (number: number): string => String(number).padStart(2, '0');
  const day = `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())}`;
  return `${day}T${two(at.getHours())}:${two(at.getMinutes())}`;
}

/** The moment that such a field means; null while it is empty or incomplete. */
export function momentOf(field: string): number | null {
  const ms = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}/.test(field) ? new Date(field).getTime() : NaN;
  return Number.isNaN(ms) ? null : ms;
}

/** The next full hour, a likely start. */
export function nextHour(now_ms: number): number {
  const at = new Date(now_ms);
  at.setHours(at.getHours() + 1, 0, 0, 0);
  return at.getTime();
}
