/** Files that the server makes, where somebody may be refused one: a link alone could not say why. */
import { search, type Query } from '../core/api';
import type { Problem } from '../core/wire';
import { troubleOf, type Trouble } from './server.svelte';
import { words } from './words';

/** Fetches a file of the API and hands it over under the server's name; for small files, since it is held in memory. */
export async function takeFile(path: string, query: Query = {}): Promise<Trouble | null> {
  try {
    const response = await fetch(`/api/v1${path}${search(query)}`, { headers: { 'Accept-Language': words.language } });
    if (!response.ok) return troubleOf({ ok: false, problem: (await response.json()) as Problem });
    handOver(nameIn(response.headers.get('Content-Disposition')), await response.blob());
    return null;
  } catch {
    return troubleOf({ ok: false, network: true });
  }
}

/** Saves `content` as the file `name`. */
export function handOver(name: string, content: Blob): void {
  const url = URL.createObjectURL(content);
  const link = document.createElement('a');
  link.href = url;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(url));
}

/** RFC 6266, section 4.3: the name with all its letters. */
function nameIn(header: string | null): string {
  return decodeURIComponent(/filename\*=UTF-8''([^;]+)/.exec(header ?? '')?.[1] ?? '');
}
