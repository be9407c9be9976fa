import { describe, expect, it } from 'vitest';
import { isData, symbolsIn } from './recorded.js';

const OVERSEAS =
  '0|HDFSCNT0|002|DNASAAPL^AAPL^4^20230502^20230502^091912^20230502^221912^169.9200^170.1000^169.4200^169.7850^2^0.1950^+0.11^169.7700^169.7900^201^5^1^108464^18414163^24757^20513^82.86^1^DNASAAPL^AAPL^4^20230502^20230502^091912^20230502^221912^169.9200^170.1000^169.4200^169.7900^2^0.2000^+0.12^169.7700^169.7900^201^2^3^108467^18414672^24757^20516^82.87^1';

describe('a recorded frame', () => {
  it.each([
    ['0|H0STCNT0|001|005930^093354', true],
    ['1|H0UNASP0|001|c2VjcmV0', true],
    ['0|H0STMKO0|001|396300^N^(null)^^311^^^55^N^N', false],
    [OVERSEAS, false],
    ['{"header":{"tr_id":"PINGPONG","datetime":"20230502221924"}}', false],
    ['', false],
  ])('is market data or talk: %s', (frame, data) => {
    expect(isData(frame)).toBe(data);
  });

  it('names the codes of all its records', () => {
    expect(symbolsIn('0|H0STCNT0|002|005930^1^0193T0^2')).toEqual(['005930', '0193T0']);
    expect(symbolsIn('0|H0STCNT0|002|005930^1^005930^2')).toEqual(['005930']);
  });

  it('names none when it is encrypted or uneven', () => {
    expect(symbolsIn('1|H0STCNT0|001|c2VjcmV0')).toEqual([]);
    expect(symbolsIn('0|H0STCNT0|002|005930^1^2')).toEqual([]);
    expect(symbolsIn('0|H0STCNT0|abc|005930^1')).toEqual([]);
  });
});
