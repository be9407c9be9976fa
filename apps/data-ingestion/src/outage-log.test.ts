import type { IngestionStatus } from '@aipx/ingestion';
import type { Logger } from '@aipx/service';
import { expect, it } from 'vitest';
import { OutageLog } from './outage-log.js';

/** What is told while the publisher's status changes. */
function scene() {
  const told: string[] = [];
  const logger = { info: (_: unknown, message: string) => void told.push(message) } as unknown as Logger;
  let now = 0;
  let publisher: Partial<IngestionStatus['publisher']> | undefined;
  const log = new OutageLog(
    logger,
    () => publisher && { publisher: publisher as IngestionStatus['publisher'] },
    () => now,
  );
  const look = (status: typeof publisher, seconds: number): readonly string[] => {
    publisher = status;
    for (let second = 0; second < seconds; second += 1, now += 1_000) log.look();
    return told.splice(0);
  };
  return { look };
}

const wait = (waiting: number, onDisk: number) => ({
  waiting,
  spill: { waiting: onDisk } as NonNullable<IngestionStatus['publisher']['spill']>,
});

it('tells once that an outage is over, how long it was, and what waits', () => {
  const { look } = scene();
  expect(look(undefined, 5)).toEqual([]);
  expect(look({ consecutiveErrors: 0, ...wait(3, 0) }, 5)).toEqual([]);
  expect(look({ consecutiveErrors: 4, ...wait(900, 60) }, 28)).toEqual([]);
  expect(look({ consecutiveErrors: 0, ...wait(700, 50) }, 60)).toEqual([
    'kafka takes records again, after 28 s: 700 wait in memory, 50 on the disk',
  ]);
  expect(look({ consecutiveErrors: 1, waiting: 7 }, 2)).toEqual([]);
  expect(look({ consecutiveErrors: 0, waiting: 1 }, 2)).toEqual([
    'kafka takes records again, after 2 s: 1 wait in memory, 0 on the disk',
  ]);
});
