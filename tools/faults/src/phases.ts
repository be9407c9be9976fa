import type { Deed, Moment } from './moment.ts';

/** Where in its work a recorder is killed. */
export const PHASES = [
  'inside COPY',
  'COMMIT answered, before the next fetch',
  'COMMIT worked, its answer lost',
  'plan written, no file yet',
  'inside a multipart upload',
  'files written, no manifest entry',
  'manifest entry written, nothing committed',
  'at any moment',
] as const;
export type Phase = (typeof PHASES)[number];

/** Aims at one phase of one recorder. */
export interface Aim {
  readonly isMet: (moment: Moment) => boolean;
  /** What becomes of the message, given what kills the recorder. */
  readonly strikes: (kill: () => void) => Deed;
}

const withheld = (kill: () => void): Deed => {
  kill();
  return { does: 'withhold' };
};

export function aimAt(phase: Exclude<Phase, 'at any moment'>): Aim {
  switch (phase) {
    case 'inside COPY':
      return { isMet: (moment) => moment.wire === 'database' && moment.at === 'copy', strikes: withheld };
    case 'COMMIT answered, before the next fetch':
      return { isMet: isCommitted, strikes: (kill) => ({ does: 'pass', afterwards: kill }) };
    case 'COMMIT worked, its answer lost':
      return { isMet: isCommitted, strikes: withheld };
    case 'plan written, no file yet':
      return { isMet: behindPlan(), strikes: withheld };
    case 'inside a multipart upload':
      return { isMet: (moment) => isRequest(moment, 'complete'), strikes: withheld };
    case 'files written, no manifest entry':
      return { isMet: (moment) => isRequest(moment, 'entry'), strikes: withheld };
    case 'manifest entry written, nothing committed':
      return {
        isMet: (moment) => moment.wire === 's3' && moment.call.kind === 'entry' && isCreated(moment),
        strikes: withheld,
      };
  }
}

/** The first file of a batch sets out whose plan this recorder was seen to write. */
export function behindPlan(): (moment: Moment) => boolean {
  const planned = new Set<string | undefined>();
  return (moment) => {
    if (moment.wire !== 's3') return false;
    const { kind, batch } = moment.call;
    if (kind === 'plan' && isCreated(moment)) planned.add(batch);
    const isFile = isRequest(moment, 'file') || isRequest(moment, 'upload');
    return isFile && batch !== undefined && planned.delete(batch);
  };
}

function isCommitted(moment: Moment): boolean {
  return moment.wire === 'database' && moment.at === 'committed';
}

function isRequest(moment: Moment, kind: string): boolean {
  return moment.wire === 's3' && moment.at === 'request' && moment.call.kind === kind;
}

function isCreated(moment: Moment): boolean {
  return moment.wire === 's3' && moment.at === 'answer' && moment.status === 200;
}
