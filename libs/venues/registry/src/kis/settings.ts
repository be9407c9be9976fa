import { rule, sharedKis, type SettingsOf } from '@aipx/service';

export const kisSettings = sharedKis;

export type KisSettings = SettingsOf<{ readonly kis: typeof kisSettings }>['kis'];

/** The servers of simulated trading have the streams of KRX alone (KIS portal): registrations of others are refused one by one. */
export const kisSegmentRule = rule([kisSettings.useVirtualServer, kisSettings.segment], (isVirtual, segment) =>
  isVirtual && segment !== 'KRX'
    ? [
        {
          setting: kisSettings.segment,
          says:
            `${segment} is not to be had from the servers of simulated trading, which KIS_USE_VIRTUAL_SERVER asks for: ` +
            'expected KRX, or KIS_USE_VIRTUAL_SERVER=false with a key of real trading',
        },
      ]
    : [],
);

/** What no setting says. */
export interface KisExtras {
  /** A simulated venue: so many keys are made up, and its market never rests. */
  readonly simulatedKeys?: number;
}

export function simulatedKis(connections: number): KisSettings & KisExtras {
  return {
    simulatedKeys: connections,
    apiKey: undefined,
    apiSecret: undefined,
    accountsFile: undefined,
    useVirtualServer: false,
    tokenCacheTtl: 86_400_000,
    tokenRefreshBefore: 600_000,
    tokenFile: undefined,
    segment: 'KRX',
    leaseTtl: 30_000,
    calendarFile: undefined,
    sessionsOnly: false,
  };
}
