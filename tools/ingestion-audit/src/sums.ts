import type { Arrival } from './align.ts';
import type { Findings } from './findings.ts';
import type { KafkaHoldings } from './kafka-records.ts';
import type { SentFrame } from './records.ts';
import type { Life, ServiceCounts } from './service-counts.ts';

export interface Sums {
  readonly kafka: KafkaHoldings;
  readonly service: ServiceCounts;
  readonly rules: { readonly mayRepeatTrades: boolean };
  readonly lives: readonly Life[];
  /** Sent and in Kafka, each once. */
  readonly arrived: readonly Arrival[];
  /** Books that are missing and in no gap: a newer one of their symbol must have replaced them. */
  readonly unnamed: readonly SentFrame[];
  readonly findings: Findings;
}

/** A book may have waited so long, ns, when a life ended that could not tell of it. */
const LONGEST_BOOK_WAIT = 2_000_000_000n;

/** Holds what the service says of itself against what was sent and what Kafka has. */
export function checkSums(sums: Sums): void {
  checkConflated(sums);
  checkPublished(sums);
  checkAcknowledged(sums);
  // A life that was killed took its last counts with it.
  if (sums.service.untold.length === 0) {
    checkReceived(sums);
    checkDropped(sums);
  }
}

function checkConflated({ service, unnamed, findings }: Sums): void {
  const told = unnamed.filter(
    ({ sentAt }) => !service.untold.some(({ from, to }) => sentAt > from - LONGEST_BOOK_WAIT && sentAt < to),
  );
  const excess = told.length - service.conflated;
  if (excess <= 0) return;
  const [first] = told;
  const example = first && `, such as ${first.symbol} ${first.reference} (sent as ${first.seq} on ${first.connection})`;
  const says = `${told.length} books are neither in Kafka nor in a gap${example ?? ''}, and ${service.conflated} were replaced by newer ones`;
  findings.add('lost', says, excess);
}

function checkPublished({ kafka, service, rules, findings }: Sums): void {
  const inKafka = kafka.records.length;
  // A send that was not answered may have worked all the same.
  const isExact = !rules.mayRepeatTrades && service.untold.length === 0;
  if (service.published > inKafka || (isExact && service.published < inKafka)) {
    findings.add(
      'wrong sums',
      `the service says it published ${service.published} trades and books; Kafka has ${inKafka}`,
    );
  }
}

/** What a life says was acknowledged must have stayed, also when it was killed afterwards. */
function checkAcknowledged({ lives, arrived, findings }: Sums): void {
  for (const [index, { connections, published, foundOnDisk }] of lives.entries()) {
    const own = arrived.filter(({ frame }) => connections.includes(frame.connection)).length;
    const missing = published - foundOnDisk - own;
    if (missing <= 0) continue;
    const says = `life ${index + 1} of the service says Kafka acknowledged ${published - foundOnDisk} of its own; Kafka has ${own}`;
    findings.add('lost', says, missing);
  }
}

function checkReceived({ service, arrived, findings }: Sums): void {
  const { received, conflated, dropped } = service;
  if (received === undefined) return;
  const letGo = Object.values(dropped).reduce((sum, count) => sum + count, 0);
  const told = arrived.length + conflated + letGo;
  // A book whose send was unanswered when the service ended counts as dropped, and may be in Kafka all the same.
  const inDoubt = dropped['shutdown'] ?? 0;
  if (received <= told && received >= told - inDoubt) return;
  const says = `the service received ${received} trades and books; ${arrived.length} are in Kafka, ${conflated} were replaced and ${letGo} dropped`;
  findings.add('wrong sums', says);
}

function checkDropped({ kafka, service, findings }: Sums): void {
  const dropped = Object.values(service.dropped).reduce((sum, count) => sum + count, 0);
  const named = kafka.gaps.reduce((sum, { cause, missed }) => (cause === 'BUFFER' ? sum + Number(missed) : sum), 0);
  if (named !== dropped) findings.add('wrong gaps', `the service dropped ${dropped} books; its gaps name ${named}`);
}
