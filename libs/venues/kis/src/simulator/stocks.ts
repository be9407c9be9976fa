/** A listed issue of the simulated exchange. */
export interface Stock {
  readonly code: string;
  readonly name: string;
  /** Close of the day before the first, KRW, on the price grid. */
  readonly close: number;
  readonly listedShares: number;
  /** Whole volume of the day before the first, shares. */
  readonly previousVolume: number;
  /** Whether NXT trades it. */
  readonly onNxt: boolean;
  /** Funds and notes have no after-market. */
  readonly fund: boolean;
}

/** Codes are text: leading zeros, and newer issues carry letters. */
const STOCK_LINES = `
005930 삼성전자 71900 5969782550 10412000 nxt
000660 SK하이닉스 268500 728002365 3120000 nxt
373220 LG에너지솔루션 385000 234000000 310000 nxt
207940 삼성바이오로직스 1032000 71174000 62000 nxt
005380 현대차 216500 209416191 640000 nxt
000270 기아 101700 397672632 980000 nxt
068270 셀트리온 176400 220290520 520000 nxt
105560 KB금융 111300 381462103 1230000 nxt
035420 NAVER 231500 158437008 810000 nxt
055550 신한지주 68900 495433000 1110000 nxt
012330 현대모비스 295000 92000000 190000 nxt
005490 POSCO홀딩스 309500 80933000 330000 nxt
028260 삼성물산 168200 170000000 340000 nxt
051910 LG화학 298000 70592343 210000 nxt
006400 삼성SDI 189300 80585000 450000 nxt
035720 카카오 58400 442000000 2210000 nxt
086790 하나금융지주 86300 287000000 720000 nxt
015760 한국전력 38250 641964077 2900000 nxt
032830 삼성생명 127500 200000000 260000 nxt
138040 메리츠금융지주 115900 190000000 280000 nxt
033780 KT&G 136200 118000000 240000 nxt
316140 우리금융지주 25150 742000000 2100000 nxt
034020 두산에너빌리티 64800 640561146 8100000 nxt
012450 한화에어로스페이스 921000 47000000 180000 nxt
009540 HD한국조선해양 358500 70773116 160000 nxt
010130 고려아연 812000 20000000 21000 nxt
018260 삼성에스디에스 166900 77377800 110000 nxt
066570 LG전자 76100 163647814 560000 nxt
003550 LG 78200 157000000 210000 nxt
011200 HMM 22850 881000000 2600000 nxt
017670 SK텔레콤 56200 214790053 480000 nxt
030200 KT 52900 252000000 390000 nxt
010950 S-Oil 59700 112582792 280000 nxt
247540 에코프로비엠 108500 97800000 540000 nxt
086520 에코프로 48550 133000000 1320000 nxt
091990 셀트리온헬스케어 64700 164000000 410000 krx
028300 HLB 49150 131000000 690000 nxt
196170 알테오젠 441500 53000000 320000 nxt
293490 카카오게임즈 15930 82000000 230000 krx
263750 펄어비스 36450 64000000 170000 krx
000020 동화약품 6130 27931470 54000 krx
001470 삼부토건 1274 230000000 9100000 krx
396300 세아메카닉스 2785 26000000 160000 krx
0193T0 신규상장 20150 11000000 940000 krx
069500 KODEX200 46200 160000000 5200000 fund
122630 KODEX레버리지 24350 90000000 14300000 fund
233740 KODEX코스닥150레버리지 8775 180000000 12100000 fund
`;

export const STOCKS: readonly Stock[] = STOCK_LINES.trim()
  .split('\n')
  .map((line) => {
    const [code = '', name = '', close, listed, volume, kind] = line.split(' ');
    return {
      code,
      name,
      close: Number(close),
      listedShares: Number(listed),
      previousVolume: Number(volume),
      onNxt: kind === 'nxt',
      fund: kind === 'fund',
    };
  });

export const STOCK_BY_CODE: ReadonlyMap<string, Stock> = new Map(STOCKS.map((stock) => [stock.code, stock]));
