import { migrate, migrationStatus } from '@aipx/timescale';
import { table } from '../output/rows.js';
import { partsOf } from '../parts.js';
import { readSettings } from '../settings.js';
import type { CommandContext, CommonFlags } from './context.js';

export interface MigrateFlags extends CommonFlags {
  readonly dataDir?: string;
}

/** Brings the database to the present schema, and its retention to TIMESCALEDB_RETENTION where that is set. */
export async function migrateUpCommand(flags: MigrateFlags, { out, note, signal }: CommandContext): Promise<number> {
  await using closing = new AsyncDisposableStack();
  const settings = await readSettings(flags.config, note);
  const address = await partsOf(settings, flags.dataDir, closing, signal).database();
  const { retention } = settings.timescaledb;
  const done = await migrate(address, {
    signal,
    ...(retention !== undefined && { retentionMs: retention }),
    onLog: (line) => {
      note(`${line}\n`);
    },
  });
  out(done.length === 0 ? 'nothing to do: the schema is up to date\n' : `done: ${done.join(', ')}\n`);
  return 0;
}

/** @returns 0 when nothing is open, 1 when something is */
export async function migrateStatusCommand(
  flags: MigrateFlags,
  { out, note, signal }: CommandContext,
): Promise<number> {
  await using closing = new AsyncDisposableStack();
  const settings = await readSettings(flags.config, note);
  const address = await partsOf(settings, flags.dataDir, closing, signal).database();
  const { flavour, timescaleVersion, done, open, newer, policies } = await migrationStatus(address, { signal });
  out(
    `${address.database} on ${address.host}:${address.port}: ${flavour}${timescaleVersion === undefined ? '' : ` (TimescaleDB ${timescaleVersion})`}\n`,
  );
  out(
    table(
      ['migration', 'state'],
      [
        ...done.map(({ name }) => [name, newer.includes(name) ? 'done by a newer version' : 'done']),
        ...open.map((name) => [name, 'open']),
      ],
    ),
  );
  for (const policy of policies) out(`${policy.relation}: ${policy.kind}\n`);
  return open.length + newer.length === 0 ? 0 : 1;
}
