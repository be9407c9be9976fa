import { createDecipheriv } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import { BROKEN_TEXT, envelope, fitted } from './envelope.js';
import { limitsOf } from './prices.js';
import type { DayTotals } from './totals.js';
import { tradeFields, type TradeFacts } from './trade-frame.js';

// Printed in the venue's documentation and in published captures.
const OF_2023 =
  '005930^093354^71900^5^-100^-0.14^72023.83^72100^72400^71700^71900^71800^1^3052507^219853241700^5105^6937^1832^84.90^1366314^1159996^1^0.39^20.28^090020^5^-200^090820^5^-500^092619^2^200^20230612^20^N^65945^216924^1118750^2199206^0.05^2424142^125.92^0^^72100';
const OF_2025 =
  '0|H0STCNT0|003|005930^094751^71950^2^1350^1.91^71690.50^71000^72300^70600^72000^71900^1^8305216^595403999350^21115^28170^7055^136.06^3060313^4163762^5^0.51^29.46^090014^2^950^090708^5^-350^090030^2^1350^20250730^20^N^93994^113056^1668973^822214^0.14^10584139^78.47^0^^71000^005930^094751^71900^2^1300^1.84^71690.50^71000^72300^70600^72000^71900^2^8305218^595404143150^21116^28170^7054^136.06^3060315^4163762^5^0.51^29.46^090014^2^900^090708^5^-400^090030^2^1300^20250730^20^N^93985^112986^1668973^822144^0.14^10584139^78.47^0^^71000^005930^094751^72000^2^1400^1.98^71690.50^71000^72300^70600^72000^71900^75^8305293^595409543150^21116^28171^7055^136.06^3060315^4163837^1^0.51^29.46^090014^2^1000^090708^5^-300^090030^2^1400^20250730^20^N^93985^112986^1668973^822144^0.14^10584139^78.47^0^^71000';
const OF_2026 =
  '005930^151425^313000^5^-40500^-11.46^335674.46^347500^353000^310000^313500^313000^825^34502265^11581539743500^382205^358363^-23842^67.05^19740248^13236777^5^0.39^141.81^090008^5^-34500^090010^5^-40000^151413^2^3000^20260623^20^N^2751^7557^92085^151119^0.59^21647427^159.38^0^^322000';

/** The trade of 2023 in numbers. Previous volume and listed shares are such that their printed percentages come out. */
const FACTS_OF_2023: TradeFacts = {
  code: '005930',
  time: '093354',
  date: '20230612',
  price: 71_900,
  size: 1,
  side: '1',
  previousClose: 72_000,
  limits: limitsOf(72_000),
  totals: {
    open: { price: 72_100, time: '090020' },
    high: { price: 72_400, time: '090820' },
    low: { price: 71_700, time: '092619' },
    volume: 3_052_507,
    turnover: 219_853_241_700,
    sellCount: 5_105,
    buyCount: 6_937,
    sellVolume: 1_366_314,
    buyVolume: 1_159_996,
  } as DayTotals,
  averagePrice: 219_853_241_700 / 3_052_507,
  buyRatio: 0.39,
  previousVolume: 15_051_800,
  previousVolumeByNow: 2_424_142,
  listedShares: 5_969_782_550,
  ask: { price: 71_900, size: 65_945 },
  bid: { price: 71_800, size: 216_924 },
  totalAsk: 1_118_750,
  totalBid: 2_199_206,
  operation: '20',
  halted: false,
  hourClass: '0',
  viReference: 72_100,
  marketClass: '2',
};

const FIRST_OF_2025: TradeFacts = {
  ...FACTS_OF_2023,
  time: '094751',
  date: '20250730',
  price: 71_950,
  side: '5',
  previousClose: 70_600,
  limits: limitsOf(70_600),
  totals: {
    open: { price: 71_000, time: '090014' },
    high: { price: 72_300, time: '090708' },
    low: { price: 70_600, time: '090030' },
    volume: 8_305_216,
    turnover: 595_403_999_350,
    sellCount: 21_115,
    buyCount: 28_170,
    sellVolume: 3_060_313,
    buyVolume: 4_163_762,
  } as DayTotals,
  // As printed: it lags behind turnover / volume.
  averagePrice: 71_690.5,
  buyRatio: 0.51,
  previousVolume: 28_192_000,
  previousVolumeByNow: 10_584_139,
  ask: { price: 72_000, size: 93_994 },
  bid: { price: 71_900, size: 113_056 },
  totalAsk: 1_668_973,
  totalBid: 822_214,
  viReference: 71_000,
};

const SECOND_OF_2025: TradeFacts = {
  ...FIRST_OF_2025,
  price: 71_900,
  size: 2,
  totals: {
    ...FIRST_OF_2025.totals,
    volume: 8_305_218,
    turnover: 595_404_143_150,
    sellCount: 21_116,
    sellVolume: 3_060_315,
  } as DayTotals,
  ask: { price: 72_000, size: 93_985 },
  bid: { price: 71_900, size: 112_986 },
  totalBid: 822_144,
};

const THIRD_OF_2025: TradeFacts = {
  ...SECOND_OF_2025,
  price: 72_000,
  size: 75,
  side: '1',
  totals: {
    ...SECOND_OF_2025.totals,
    volume: 8_305_293,
    turnover: 595_409_543_150,
    buyCount: 28_171,
    buyVolume: 4_163_837,
  } as DayTotals,
};

const FACTS_OF_2026: TradeFacts = {
  ...FACTS_OF_2023,
  time: '151425',
  date: '20260623',
  price: 313_000,
  size: 825,
  side: '5',
  previousClose: 353_500,
  limits: limitsOf(353_500),
  totals: {
    open: { price: 347_500, time: '090008' },
    high: { price: 353_000, time: '090010' },
    low: { price: 310_000, time: '151413' },
    volume: 34_502_265,
    turnover: 11_581_539_743_500,
    sellCount: 382_205,
    buyCount: 358_363,
    sellVolume: 19_740_248,
    buyVolume: 13_236_777,
  } as DayTotals,
  averagePrice: 335_674.46,
  previousVolume: 24_330_000,
  previousVolumeByNow: 21_647_427,
  listedShares: 5_846_278_608,
  ask: { price: 313_500, size: 2_751 },
  bid: { price: 313_000, size: 7_557 },
  totalAsk: 92_085,
  totalBid: 151_119,
  viReference: 322_000,
};

const record = (facts: TradeFacts, width: number): readonly string[] => fitted(tradeFields(facts, ''), width);

describe('a trade record', () => {
  it.each([
    ['of 2023', FACTS_OF_2023, OF_2023],
    ['of 2026', FACTS_OF_2026, OF_2026],
  ])('is spelled as the printed one %s, field by field', (_, facts, printed) => {
    expect(record(facts, 46)).toEqual(printed.split('^'));
  });

  it('follows the one before it in a frame without a separator of its own', () => {
    const records = [FIRST_OF_2025, SECOND_OF_2025, THIRD_OF_2025].map((facts) => record(facts, 46));
    expect(envelope('H0STCNT0', records).toString()).toBe(OF_2025);
  });

  it('ends with the market class since 2026-09-14', () => {
    expect(record(FACTS_OF_2026, 47).join('^')).toBe(`${OF_2026}^2`);
  });

  it('can be wider than any layout known', () => {
    expect(record(FACTS_OF_2026, 49).join('^')).toBe(`${OF_2026}^2^0^0`);
  });

  it('says the limits of the day in its sign', () => {
    const { upper, lower } = limitsOf(72_000);
    expect(record({ ...FACTS_OF_2023, price: upper }, 47)[3]).toBe('1');
    expect(record({ ...FACTS_OF_2023, price: lower }, 47)[3]).toBe('4');
    expect(record({ ...FACTS_OF_2023, price: 72_000 }, 47).slice(3, 6)).toEqual(['3', '0', '0.00']);
  });
});

describe('an envelope', () => {
  it('pads the count with zeros to three digits', () => {
    const records = Array.from({ length: 19 }, () => ['1']);
    expect(envelope('H0STCNT0', records).toString()).toMatch(/^0\|H0STCNT0\|019\|/);
  });

  it('can be encrypted with AES-256-CBC, as in the published test vector', () => {
    const secrets = { key: 'abcdefghijklmnopabcdefghijklmnop', iv: '0123456789abcdef' };
    const payload =
      'Sc/jMAOt1F/ZOesmduMyeIo8hDIAnEEW9vNKvhGS5ZzaKF6+Fdw45+fify/apjJBKpTjNstpHrpvKBGuGc42HkkJJ52HOGFcMbNKD2NLW9Pzj1y5PE+TEv7Axb56Rv3patsZiiwFhSX/QFQ7+pF4Vw==';
    const decipher = createDecipheriv('aes-256-cbc', secrets.key, secrets.iv);
    const fields = (decipher.update(payload, 'base64', 'utf8') + decipher.final('utf8')).split('^');
    expect(fields).toHaveLength(26);
    expect(envelope('H0STCNI0', [fields], secrets).toString()).toBe(`1|H0STCNI0|001|${payload}`);
  });

  it('can carry bytes that are no UTF-8', () => {
    const frame = envelope('H0STCNT0', [tradeFields(FACTS_OF_2023, BROKEN_TEXT)]);
    expect(() => new TextDecoder('utf-8', { fatal: true }).decode(frame)).toThrow(TypeError);
    expect(frame.includes(Buffer.from([0x5e, 0xb0, 0xa1, 0x5e]))).toBe(true);
  });
});
