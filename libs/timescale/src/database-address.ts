import type { DatabaseSsl } from './database-ssl.js';

/** Where a database is and who asks for it. */
export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
  /** Encryption of the connections. @default none */
  readonly ssl?: DatabaseSsl | undefined;
}

/** The address as a connection URL, with every part escaped. Contains the password: never for a log. */
export function databaseUrl({ host, port, user, password, database, ssl }: DatabaseAddress): string {
  const [name, secret, path] = [user, password, database].map(encodeURIComponent);
  const mode = ssl === undefined ? '' : `?sslmode=${ssl.rejectUnauthorized ? 'verify-full' : 'require'}`;
  return `postgresql://${name}:${secret}@${host}:${port}/${path}${mode}`;
}

/** The address for people and messages, without the password. */
export function databaseName({ host, port, user, database }: DatabaseAddress): string {
  return `${database} on ${user}@${host}:${port}`;
}
