/** The words of the operator and display pages. */
import enCommon from '$i18n/en/common.json';
import en from '$i18n/en/operator.json';
import enScan from '$i18n/en/scan.json';
import enPaper from '$i18n/en/paper.json';
import enQuick from '$i18n/en/quick.json';
import enSpot from '$i18n/en/spot.json';
import viCommon from '$i18n/vi/common.json';
import vi from '$i18n/vi/operator.json';
import viScan from '$i18n/vi/scan.json';
import viPaper from '$i18n/vi/paper.json';
import viQuick from '$i18n/vi/quick.json';
import viSpot from '$i18n/vi/spot.json';

import { createWords } from '../core/i18n';
import { pageLanguage } from '../ui/language';

export const words = createWords(pageLanguage(), {
  vi: { ...viCommon, ...vi, ...viPaper, ...viSpot, ...viQuick, ...viScan },
  en: { ...enCommon, ...en, ...enPaper, ...enSpot, ...enQuick, ...enScan },
});
export const { t } = words;
