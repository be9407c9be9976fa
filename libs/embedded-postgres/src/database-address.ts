/** Where a database is and who asks for it. */
export interface DatabaseAddress {
  readonly host: string;
  readonly port: number;
  readonly user: string;
  readonly password: string;
  readonly database: string;
}

/** The address as a connection URL, with every part escaped. Contains the password: never for a log. */
export function databaseUrl({ host, port, user, password, database }: DatabaseAddress): string {
  const [name, secret, path] = [user, password, database].map(encodeURIComponent);
  return `postgresql://${name}:${secret}@${host}:${port}/${path}`;
}
