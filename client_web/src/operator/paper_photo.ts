/** Photographs of sheets, made small enough on this device and kept with the draft. */

/** Signatures stay readable at this size, in 0.3 to 1 MB (limits.PHOTO_BYTES_MAX is 3 MB). */
const SIDE_PX_MAX = 2000;
const QUALITY = 0.8;

/** The picture as a JPEG of at most 2,000 pixels a side, upright; null when this browser cannot read it. */
export async function smaller(file: Blob): Promise<Blob | null> {
  try {
    const picture = await createImageBitmap(file, { imageOrientation: 'from-image' });
    const scale = Math.min(1, SIDE_PX_MAX / Math.max(picture.width, picture.height));
    const canvas = document.createElement('canvas');
    canvas.width = Math.round(picture.width * scale);
    canvas.height = Math.round(picture.height * scale);
    canvas.getContext('2d')?.drawImage(picture, 0, 0, canvas.width, canvas.height);
    picture.close();
    return await new Promise((done) => canvas.toBlob(done, 'image/jpeg', QUALITY));
  } catch {
    return null;
  }
}

/** As text, for what keeps only text. */
export function asText(picture: Blob): Promise<string> {
  return new Promise((done, failed) => {
    const reader = new FileReader();
    reader.onload = () => done(String(reader.result));
    reader.onerror = () => failed(reader.error ?? new Error('unreadable'));
    reader.readAsDataURL(picture);
  });
}

/** The picture again. */
export function asPicture(text: string): Blob | null {
  const [head, data] = text.split(',', 2);
  if (!head?.startsWith('data:image/jpeg') || data === undefined) return null;
  return new Blob([Uint8Array.from(atob(data), (char) => char.charCodeAt(0))], { type: 'image/jpeg' });
}
