/** The console's texts in the reader's language. */
import enAbsence from '$i18n/en/absence.json';
import enBadges from '$i18n/en/badges.json';
import enCommon from '$i18n/en/common.json';
import enConsole from '$i18n/en/console.json';
import enErrors from '$i18n/en/errors.json';
import enFreeze from '$i18n/en/freeze.json';
import enImportDialog from '$i18n/en/import_dialog.json';
import enImportRuns from '$i18n/en/import_runs.json';
import enQuick from '$i18n/en/quick.json';
import enPrepare from '$i18n/en/prepare.json';
import enPrint from '$i18n/en/print.json';
import enReview from '$i18n/en/review.json';
import enSpot from '$i18n/en/spot.json';
import viAbsence from '$i18n/vi/absence.json';
import viBadges from '$i18n/vi/badges.json';
import viCommon from '$i18n/vi/common.json';
import viConsole from '$i18n/vi/console.json';
import viErrors from '$i18n/vi/errors.json';
import viFreeze from '$i18n/vi/freeze.json';
import viImportDialog from '$i18n/vi/import_dialog.json';
import viImportRuns from '$i18n/vi/import_runs.json';
import viQuick from '$i18n/vi/quick.json';
import viPrepare from '$i18n/vi/prepare.json';
import viPrint from '$i18n/vi/print.json';
import viReview from '$i18n/vi/review.json';
import viSpot from '$i18n/vi/spot.json';

import { createWords } from '../core/i18n';
import { pageLanguage } from '../ui/language';

export const words = createWords(pageLanguage(), {
  vi: { ...viAbsence, ...viCommon, ...viConsole, ...viErrors, ...viSpot, ...viQuick, ...viReview, ...viPrint, ...viPrepare, ...viBadges, ...viImportRuns, ...viImportDialog, ...viFreeze },
  en: { ...enAbsence, ...enCommon, ...enConsole, ...enErrors, ...enSpot, ...enQuick, ...enReview, ...enPrint, ...enPrepare, ...enBadges, ...enImportRuns, ...enImportDialog, ...enFreeze },
});

export const t = words.t;

/** 21/11/2025 19:30 */
export function moment(ms: number): string {
  return `${words.date(ms)} ${words.time(ms)}`;
}

/** The text of a key that is put together; the key itself where no text is known. */
export function worded(key: string, params: Record<string, string | number> = {}): string {
  return words.has(key) ? t(key, params) : key;
}
