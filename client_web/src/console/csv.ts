/** Tables that the browser itself writes for a spreadsheet (reports/as_csv.py writes the server's). Pure. */

/** A cell that begins so is a formula, or part of one, to one spreadsheet or another. */
const RUNS = /^ *[=+\-@\t\r\n＝＋－＠]/;

/** A CSV that Excel opens rightly: a byte order mark for the letters, and no cell that it would run. */
export function csvOf(rows: readonly (readonly string[])[]): string {
  return `\uFEFF${rows.map((cells) => cells.map(cellOf).join(',')).join('\r\n')}\r\n`;
}

function cellOf(text: string): string {
  const plain = RUNS.test(text) ? `'${text}` : text;
  return /[",\r\n]/.test(plain) ? `"${plain.replaceAll('"', '""')}"` : plain;
}
