import { afterEach, describe, expect, it } from 'vitest';
import { SessionCalendar } from '../src/calendar/calendar.js';
import { joinHolidayPages, readHolidayPage } from '../src/calendar/holidays.js';
import type { KisSimulatorSettings } from '../src/simulator/index.js';
import { acknowledgement, dataFrame, Host, register } from './simulator-host.js';

const BUSINESS_DATE = 33;
/** 23:00 in Korea. */
const SATURDAY = Date.UTC(2026, 10, 21, 14);

let host: Host;
afterEach(() => host.stop());

/** The calendar of whoever has asked this simulator on a Saturday. */
async function calendarOf(settings: KisSimulatorSettings): Promise<SessionCalendar> {
  host = await Host.start({ settings: { wall: () => SATURDAY, ...settings } });
  const { body, continuation } = await host.holidays('20261101');
  return new SessionCalendar(joinHolidayPages([readHolidayPage(body, continuation).days]));
}

async function dateOfTrade(): Promise<string | undefined> {
  const client = await host.connect();
  client.send(register(await host.approvalKey(), 'H0STCNT0', '005930'));
  await acknowledgement(client);
  return (await dataFrame(client)).fields[BUSINESS_DATE];
}

describe('a simulated market that trades on a Saturday', () => {
  it.each<[string, KisSimulatorSettings, string, string]>([
    ['at any hour', {}, '20261121', '230000'],
    ['because that day is played', { day: { date: '20261121', from: '100000', speed: 1 } }, '20261121', '100000'],
  ])('tells a calendar by which books have the date of its trades: %s', async (_, settings, date, time) => {
    const calendar = await calendarOf(settings);
    expect(await dateOfTrade()).toBe(date);
    expect(calendar.dateOfQuote(time, BigInt(SATURDAY) * 1_000_000n)).toBe(date);
  });

  it('is closed on the other days of a weekend where a day is played, and on its holidays always', async () => {
    const played = await calendarOf({ day: { date: '20261123', from: '100000', speed: 1 } });
    expect(played.dateOfQuote('100000', BigInt(SATURDAY) * 1_000_000n)).toBe('20261120');
    await host.stop();
    const never = await calendarOf({ holidays: ['20261121'] });
    expect(never.dateOfQuote('100000', BigInt(SATURDAY) * 1_000_000n)).toBe('20261120');
  });
});
