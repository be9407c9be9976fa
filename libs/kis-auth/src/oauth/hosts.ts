import type { KisEnvironment } from '../accounts/kis-account.js';

/** The REST servers, as the official samples name them. A key of one is refused by the other with EGW02004. */
export const KIS_REST_HOSTS: Readonly<Record<KisEnvironment, string>> = {
  real: 'https://openapi.koreainvestment.com:9443',
  virtual: 'https://openapivts.koreainvestment.com:29443',
};
