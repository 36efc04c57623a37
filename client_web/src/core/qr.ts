/** A QR code as one SVG path. */
import { encode } from 'uqr';

/** The quiet zone that readers need, in modules (ISO/IEC 18004). */
const BORDER = 4;

/** From version 3 on, so that codes of one door always have the same size. */
const VERSION_MIN = 3;

export interface QrPath {
  /** Width and height in modules, quiet zone included. */
  size: number;
  /** The dark modules; one unit a module. */
  path: string;
  version: number;
}

/** Draws `text`; upper case, digits and `$%*+-./: ` alone keep it in alphanumeric mode, hence small. */
export function qrPath(text: string): QrPath {
  const { data, size, version } = encode(text, { ecc: 'M', boostEcc: true, border: BORDER, minVersion: VERSION_MIN });
  let path = '';
  data.forEach((row, y) => {
    for (let x = 0; x < size; ) {
      const from = x;
      while (row[x]) x++;
      if (x > from) path += `M${from} ${y}h${x - from}v1h${from - x}z`;
      else x++;
    }
  });
  return { size, path, version };
}
