import { MarketDataError } from '@aipx/market-model';

export interface BrokerAddress {
  readonly host: string;
  readonly port: number;
}

export function addressText({ host, port }: BrokerAddress): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** @throws {MarketDataError} `CONFIG_INVALID` for text that is no `host:port` */
export function parseAddress(text: string): BrokerAddress {
  const [, bracketed, plain, digits] = /^(?:\[([^\]]+)\]|([^:[\]\s]+)):(\d{1,5})$/.exec(text.trim()) ?? [];
  const host = bracketed ?? plain;
  const port = Number(digits);
  if (host !== undefined && port >= 1 && port <= 65_535) return { host, port };
  throw new MarketDataError('CONFIG_INVALID', `"${text}" is no address of a Kafka broker; expected host:port`, {
    context: { broker: text },
  });
}
