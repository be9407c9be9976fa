export { SessionCalendar } from './calendar/calendar.js';
export {
  HOLIDAY_CALL,
  joinHolidayPages,
  readHolidayPage,
  type HolidayCursor,
  type HolidayPage,
} from './calendar/holidays.js';
export { parseBusinessDate, type BusinessDate } from './calendar/kst.js';
export { type Phase, type Session } from './calendar/sessions.js';
export { parseTradingDays, type SpecialDays, type TradingDay } from './calendar/trading-days.js';
export { type ControlAction } from './control/codes.js';
export { readControl, refusalOf, type ControlAnswer, type ControlMessage } from './control/message.js';
export { redact } from './control/redact.js';
export { kisDriver, type KisDriverOptions } from './driver/driver.js';
export { kis } from './venue.js';
export { MAX_REGISTRATIONS } from './driver/spread.js';
export { CipherKey, type Decipher } from './frame/cipher.js';
export { isDataFrame, splitFrame, type Frame } from './frame/frame.js';
export { BOOK } from './layout/order-book.js';
export { STREAMS, type RecordKind, type Segment, type Stream } from './layout/streams.js';
export { TRADE } from './layout/trade.js';
export { VolumeSequence, type SequenceState, type Sighting, type VolumeStep } from './loss/volume-sequence.js';
export {
  DataReader,
  type DataReading,
  type ReaderOptions,
  type RecordReading,
  type RejectedRecord,
  type WidthChange,
} from './reader.js';
export { type MarketOperation, type OperationCode, type OperationKind } from './record/market-operation.js';
export { BOOK_DEPTH } from './record/order-book.js';
export { parseTradeId, type TradePosition } from './record/trade-id.js';
