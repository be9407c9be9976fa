import { describe, expect, it } from 'vitest';
import { Codes } from '../src/frames/codes.ts';
import { FrameReader, type FrameCheck } from '../src/frames/frame.ts';
import { Readable } from '../src/frames/readable.ts';
import { RecordCounts } from '../src/frames/record-counts.ts';
import { InvalidText } from '../src/frames/texts.ts';
import { TradeTimes } from '../src/frames/trades.ts';
import { Widths } from '../src/frames/widths.ts';

/** Captured on 2026-06-23, with the field that came on 2026-09-14. */
const TRADE =
  '005930^151425^313000^5^-40500^-11.46^335674.46^347500^353000^310000^313500^313000^825^34502265^11581539743500^382205^358363^-23842^67.05^19740248^13236777^5^0.39^141.81^090008^5^-34500^090010^5^-40000^151413^2^3000^20260623^20^N^2751^7557^92085^151119^0.59^21647427^159.38^0^^322000^2';
const AT = BigInt(Date.parse('2026-06-23T06:14:26Z')) * 1_000_000n;

describe('a frame', () => {
  it('of a captured trade is what every check expects', () => {
    const checks = [
      new Widths(['H0STCNT0'], () => ''),
      new RecordCounts(),
      new Readable(),
      new Codes(),
      new TradeTimes(),
    ];
    const findings = checks.flatMap((check) => found(check, [`0|H0STCNT0|001|${TRADE}`]));
    expect(findings.filter(({ verdict }) => verdict === 'DIFFERS')).toEqual([]);
    expect(findings.map(({ says }) => says)).toContain('trades received 1.0 to 1.0 s after their time');
  });

  it('whose fields cannot be shared out among its records is shown with both numbers', () => {
    const frame = `0|H0STCNT0|002|${TRADE}^005930`;
    const [width] = found(new Widths(['H0STCNT0'], () => ''), [`0|H0STCNT0|001|${TRADE}`, frame, `${frame}^151425^1`]);
    expect(width).toMatchObject({ verdict: 'DIFFERS' });
    expect(width?.says).toContain('25 fields once');
    const [count] = found(new RecordCounts(), [`${frame}^151425`]);
    expect(count?.says).toContain('came 49 fields in 2 records once');
  });

  it('with a code that stands in no table is shown with it', () => {
    const afterMarket = TRADE.replace('^20^N^', '^60^N^').replace(/\^2$/, '^4');
    const [trade] = found(new Codes(), [`0|H0STCNT0|001|${afterMarket}`]);
    expect(trade?.says).toBe(
      'expected documented values in every code field; came NEW_MKOP_CLS_CODE "60" once, MARKET_CLS_CODE "4" once',
    );
  });

  it('that the driver refuses is a difference, as is one that nobody asked for', () => {
    const [refused] = found(new Readable(), ['0|H0STCNT0|001|005930^151425', `0|H0NEWNT0|001|${TRADE}`]);
    expect(refused?.verdict).toBe('DIFFERS');
    const [ignored] = found(new Readable(), [`0|H0STCNT0|001|${TRADE.replace('005930', '000660')}`]);
    expect(ignored?.says).toContain('a record that nobody asked for');
  });

  it('that is no UTF-8 is one of those that the documentation tells of', () => {
    const broken = Buffer.from(`0|H0STCNT0|001|${TRADE.replace('^^', '^\u00b0\u00a1^')}`, 'latin1');
    expect(found(new InvalidText(), [broken])).toEqual([
      expect.objectContaining({ verdict: 'ok', says: 'invalid UTF-8 in H0STCNT0 once; the connection stood it' }),
    ]);
  });
});

function found(check: FrameCheck, frames: readonly (string | Buffer)[]) {
  const reader = new FrameReader([{ trId: 'H0STCNT0', code: '005930' }]);
  for (const frame of frames) check.see(reader.read(Buffer.from(frame as string), AT));
  return check.findings();
}
