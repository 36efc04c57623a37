/** Words and figures as the reader writes them (ui/UI.md): 48.913, 94,1%, 19:21, 05/02/2026, "11 phút". */

export type Language = 'vi' | 'en';
export const LANGUAGES: readonly Language[] = ['vi', 'en'];

/** The cookie that the server reads too. */
export const LANGUAGE_COOKIE = 'diemcau_language';

/** What was chosen, else the first known of the browser's languages, else Vietnamese. */
export function chooseLanguage(cookies: string, preferred: readonly string[]): Language {
  const chosen = new RegExp(`(?:^|;\\s*)${LANGUAGE_COOKIE}=(vi|en)(?:;|$)`).exec(cookies)?.[1];
  const tags = [chosen ?? '', ...preferred].map((tag) => tag.toLowerCase().split('-')[0]);
  return LANGUAGES.find((language) => language === tags.find((tag) => tag === 'vi' || tag === 'en')) ?? 'vi';
}

/** Texts that every dictionary given to `createWords` must hold (common.json does). */
export type DurationKey = `duration.${'second' | 'minute' | 'hour' | 'day'}${'' | '_one'}`;

export type Params = Record<string, string | number>;

export interface Words<Key extends string> {
  language: Language;
  /** The text of `key`; numbers among `params` are written as the language writes them. */
  t(key: Key, params?: Params): string;
  /** Whether there is such a text: for keys that the server sends. */
  has(key: string): key is Key;
  /** 48.913 */
  number(value: number): string;
  /** 94,1% from a part and a whole; an en dash when the whole is 0. */
  percent(part: number, whole: number): string;
  /** 94,1% from a figure that is in percent already. */
  rate(percent: number | null): string;
  /** 19:21 */
  time(ms: number): string;
  /** 19:21:07 */
  timeWithSeconds(ms: number): string;
  /** 05/02/2026 */
  date(ms: number): string;
  /** "40 giây", "11 phút", "2 giờ 5 phút", "3 ngày" */
  duration(ms: number): string;
}

const NOTHING = '–';
const SECOND_MS = 1000;
const MINUTE_MS = 60 * SECOND_MS;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

/**
 * One language of the given dictionaries. Both must hold the same keys: the compiler says so when they do not.
 *
 * @param timeZone only for tests; otherwise the device's own
 */
export function createWords<Key extends string>(
  language: Language,
  dictionaries: Record<Language, Record<Key | DurationKey, string>>,
  timeZone?: string,
): Words<Key | DurationKey> {
  const texts = dictionaries[language];
  const locale = language === 'vi' ? 'vi-VN' : 'en-GB';
  const zone = timeZone ? { timeZone } : {};
  const whole = new Intl.NumberFormat(locale);
  const tenth = new Intl.NumberFormat(locale, { minimumFractionDigits: 1, maximumFractionDigits: 1 });
  const clock = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', hourCycle: 'h23', ...zone });
  const exact = new Intl.DateTimeFormat('en-GB', { hour: '2-digit', minute: '2-digit', second: '2-digit', hourCycle: 'h23', ...zone });
  const day = new Intl.DateTimeFormat('en-GB', { day: '2-digit', month: '2-digit', year: 'numeric', ...zone });

  const t = (key: Key | DurationKey, params: Params = {}): string =>
    texts[key].replace(/\{(\w+)\}/g, (_, name: string) => {
      const value = params[name];
      return typeof value === 'number' ? whole.format(value) : (value ?? `{${name}}`);
    });
  const count = (unit: 'second' | 'minute' | 'hour' | 'day', n: number): string =>
    t(n === 1 ? `duration.${unit}_one` : `duration.${unit}`, { n });
  const rate = (percent: number | null): string => (percent === null ? NOTHING : `${tenth.format(percent)}%`);

  function duration(ms: number): string {
    if (ms < MINUTE_MS) return count('second', Math.max(0, Math.floor(ms / SECOND_MS)));
    if (ms < HOUR_MS) return count('minute', Math.floor(ms / MINUTE_MS));
    if (ms >= DAY_MS) return count('day', Math.floor(ms / DAY_MS));
    const minutes = Math.floor((ms % HOUR_MS) / MINUTE_MS);
    const hours = count('hour', Math.floor(ms / HOUR_MS));
    return minutes ? `${hours} ${count('minute', minutes)}` : hours;
  }

  return {
    language,
    t,
    has: (key): key is Key | DurationKey => Object.hasOwn(texts, key),
    number: (value) => whole.format(value),
    percent: (part, of) => rate(of > 0 ? (100 * part) / of : null),
    rate,
    time: (ms) => clock.format(ms),
    timeWithSeconds: (ms) => exact.format(ms),
    date: (ms) => day.format(ms),
    duration,
  };
}
