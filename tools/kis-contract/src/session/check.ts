import type { KeyLease } from '@aipx/kis-auth';
import { asMarketDataError, type Nanoseconds } from '@aipx/market-model';
import { SessionCalendar, STREAMS, type Stream } from '@aipx/venue-kis';
import { shownUrl } from '@aipx/websocket-client';
import { CHECKS, differs, judged, notSeen, ok, type Check, type Finding } from '../findings.ts';
import { Codes } from '../frames/codes.ts';
import { FrameReader, type FrameCheck } from '../frames/frame.ts';
import { Readable } from '../frames/readable.ts';
import { RecordCounts } from '../frames/record-counts.ts';
import { InvalidText, NullValues } from '../frames/texts.ts';
import { TradeTimes, TradeVolumes } from '../frames/trades.ts';
import { Widths } from '../frames/widths.ts';
import type { ContractRun } from '../run.ts';
import { admitted, claimLease, outcomeOf, reportOutcome } from './admission.ts';
import { judgeCodes, judgeHeartbeats, judgeSubscription, judgeUnsubscription } from './judge.ts';
import type { Registration } from './request.ts';
import { Session } from './session.ts';

/** Opens the key's session, subscribes, listens, unsubscribes, closes. @throws the signal's reason */
export async function checkSession(run: ContractRun, approvalKey: string | undefined): Promise<void> {
  const { key, report, signal } = run;
  if (approvalKey === undefined) return report.add(nothingSeen(run, 'there is no approval key'));
  const lease = await claimLease(key, signal);
  if (lease === undefined) {
    const why = 'the session of this key is not free: another process holds it, or Redis does not answer';
    return report.add(nothingSeen(run, why));
  }
  try {
    await admitted(key, (text) => report.note(text), signal);
    report.add(await inSession({ ...run, signal: AbortSignal.any([signal, lease.lost]) }, approvalKey, lease));
  } finally {
    await lease.release();
  }
}

async function inSession(run: ContractRun, approvalKey: string, lease: KeyLease): Promise<readonly Finding[]> {
  const { key, codes, websocketUrl, redactor, signal } = run;
  const registrations = codes.flatMap((code) => streamsOf(run).map(({ trId }) => ({ trId, code })));
  const reader = new FrameReader(registrations);
  const checks = frameChecks(run);
  const onData = (bytes: Uint8Array, receivedAt: Nanoseconds) => {
    const frame = reader.read(bytes, receivedAt);
    for (const check of checks) check.see(frame);
  };
  let session: Session;
  try {
    session = await Session.open({ url: websocketUrl, approvalKey, redactor, onData, signal });
  } catch (cause) {
    await reportOutcome(key, lease, 'lost');
    signal.throwIfAborted();
    const { message } = asMarketDataError(cause, 'CONNECTION_FAILED');
    const unopened = differs('socket.open', `a WebSocket at ${shownUrl(websocketUrl)}`, message);
    return [unopened, ...nothingSeen(run, 'there is no connection').filter(({ check }) => check !== 'socket.open')];
  }
  try {
    const said = await talk(run, session, registrations, lease);
    return [ok('socket.open', shownUrl(websocketUrl)), ...said, ...checks.flatMap((check) => check.findings())];
  } finally {
    await session.close();
    await reportOutcome(key, lease, outcomeOf(session));
  }
}

async function talk(
  run: ContractRun,
  session: Session,
  asked: readonly Registration[],
  lease: KeyLease,
): Promise<readonly Finding[]> {
  const { listenMs, silenceTimeoutMs } = run;
  const answers = await session.ask('register', asked);
  const granted = asked.filter(({ trId, code }) =>
    answers.some((answer) => answer.trId === trId && answer.code === code && answer.msgCd === 'OPSP0000'),
  );
  if (granted.length > 0) {
    await reportOutcome(run.key, lease, 'confirmed');
    run.report.note(`listening to ${granted.length} streams for ${listenMs / 1000} s`);
    await session.pass(listenMs);
  }
  const listenedUntil = Date.now();
  const interrupted = session.lost.aborted || granted.length === 0;
  const farewell = interrupted
    ? notSeen('unsubscription.answer', 'there was nothing to unsubscribe')
    : judgeUnsubscription(granted, await session.ask('unregister', granted));
  return [
    ...judgeSubscription(asked, answers),
    ...judgeHeartbeats(session.heartbeats, session.openedAt, listenedUntil, silenceTimeoutMs),
    farewell,
    judgeCodes(session.answers, session.unreadable),
    judgeKept(session),
  ];
}

/** Of anything that ends or refuses the session while it should stand. */
function judgeKept({ lost, answers, openedAt }: Session): Finding {
  const lasted = ((Date.now() - openedAt) / 1000).toFixed(1);
  const refused = answers.filter(({ trId }) => trId === undefined).map(({ msgCd, words }) => `${msgCd} ${words}`);
  const faults = lost.aborted ? [...refused, asMarketDataError(lost.reason, 'CONNECTION_LOST').message] : refused;
  return judged('socket.kept', 'a session that stands until we close it', faults, `${lasted} s, closed by us`);
}

/** The virtual servers have KRX only, and no market operations. */
function streamsOf({ environment }: ContractRun): readonly Stream[] {
  return [...STREAMS.values()].filter(
    ({ segment, kind }) => environment === 'real' || (segment === 'KRX' && kind !== 'operation'),
  );
}

function frameChecks(run: ContractRun): readonly FrameCheck[] {
  const trIds = streamsOf(run).map(({ trId }) => trId);
  return [
    new Widths(trIds, whyQuiet),
    new RecordCounts(),
    new Readable(),
    new NullValues(),
    new InvalidText(),
    new TradeVolumes(),
    new TradeTimes(),
    new Codes(),
  ];
}

function whyQuiet({ segment, kind }: Stream): string {
  if (kind === 'operation') return 'no frame came; they come when a session changes or trading is halted';
  const now = BigInt(Date.now()) * 1_000_000n;
  return new SessionCalendar().isDataExpected(segment, now)
    ? `no frame came, although ${segment} is in session unless today is a holiday`
    : `no frame came: ${segment} is closed now`;
}

/** Every check of a session, unseen. */
function nothingSeen(run: ContractRun, why: string): readonly Finding[] {
  const trIds = new Set(streamsOf(run).map(({ trId }) => trId));
  const isOfSession = (check: Check) =>
    check.startsWith('width.')
      ? trIds.has(check.slice('width.'.length))
      : !['token.', 'approval.', 'calendar.'].some((start) => check.startsWith(start));
  return CHECKS.filter(isOfSession).map((check) => notSeen(check, why));
}
