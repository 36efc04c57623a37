/** The reader's language on this device; the server reads the same cookie. */
import { chooseLanguage, LANGUAGE_COOKIE, type Language } from '../core/i18n';

const YEAR_S = 31_536_000;

/** The language of this page; also told to screen readers. */
export function pageLanguage(): Language {
  const language = chooseLanguage(document.cookie, navigator.languages);
  document.documentElement.lang = language;
  return language;
}

/** Keeps the choice and opens the page anew in it. */
export function changeLanguage(language: Language): void {
  const secure = location.protocol === 'https:' ? '; Secure' : '';
  document.cookie = `${LANGUAGE_COOKIE}=${language}; Path=/; Max-Age=${YEAR_S}; SameSite=Lax${secure}`;
  location.reload();
}
