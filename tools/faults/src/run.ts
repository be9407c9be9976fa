import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Chance } from './chance.ts';
import { check, type Verdict } from './check/check.ts';
import { writeHotLines } from './check/hot-lines.ts';
import { writeLogLines } from './check/log-lines.ts';
import { productVerify } from './check/product-verify.ts';
import { drained } from './drain.ts';
import { FAULT_NAMES, FAULTS, type FaultName } from './faults/index.ts';
import { Findings } from './findings.ts';
import { killIn } from './kill.ts';
import { isStoring, isWritingFiles, occasion } from './occasion.ts';
import { PHASES, type Phase } from './phases.ts';
import type { Step } from './schedule.ts';
import { Stage } from './stage.ts';
import { STORED_TOPICS } from './topics.ts';
import { Tally } from './tally.ts';
import { WireFaults } from './wire-faults.ts';

export interface RunOptions {
  readonly folder: string;
  readonly seed: number;
  readonly steps: readonly Step[];
  readonly recorderCommand: readonly string[];
  /** Told of each step. */
  readonly say: (line: string) => void;
  readonly signal: AbortSignal;
}

export interface RunResult {
  readonly seconds: number;
  readonly kills: Tally<Phase>;
  readonly faults: Tally<FaultName>;
  readonly wireFaults: WireFaults;
  /** Of each check; the last one is of all that there was. */
  readonly verdicts: readonly Verdict[];
  readonly findings: Findings;
}

const RATE = 400;
const WIRE_FAULT_EVERY_MS = 2_500;
const FIRST_RECORDERS = 2;
/** A killed recorder comes back after at most so long. */
const LONGEST_ABSENCE_MS = 2_000;

/** One run from the start of the servers to the last check. Whatever goes wrong on the way becomes a finding. */
export async function runFaults(options: RunOptions): Promise<RunResult> {
  const startedAt = performance.now();
  const run = new Run(options);
  try {
    await run.play();
  } catch (error) {
    options.signal.throwIfAborted();
    run.findings.add(`the run broke off: ${error instanceof Error ? error.message : String(error)}`);
  }
  const { kills, faults, wireFaults, verdicts, findings } = run;
  return { seconds: (performance.now() - startedAt) / 1_000, kills, faults, wireFaults, verdicts, findings };
}

class Run {
  readonly kills = new Tally(PHASES);
  readonly faults = new Tally(FAULT_NAMES);
  readonly findings = new Findings();
  readonly verdicts: Verdict[] = [];
  readonly wireFaults: WireFaults;
  readonly #options: RunOptions;
  readonly #chance: Chance;

  constructor(options: RunOptions) {
    this.#options = options;
    this.#chance = new Chance(options.seed, 'run');
    this.wireFaults = new WireFaults(new Chance(options.seed, 'wire faults'), WIRE_FAULT_EVERY_MS);
  }

  async play(): Promise<void> {
    const { say, steps } = this.#options;
    const stage = await Stage.open({
      ...this.#options,
      rate: RATE,
      findings: this.findings,
      wireFaults: this.wireFaults,
    });
    try {
      if (stage.database.disk === undefined) say('no disk can be mounted here: the full one is told, not made');
      for (const slot of stage.slots.slice(0, FIRST_RECORDERS)) slot.start();
      stage.load.start();
      this.wireFaults.begin();
      for (const step of steps) await this.#take(step, stage);
      await this.#stopAll(stage);
      await stage.database.bringTradesHome();
    } finally {
      await stage.close();
    }
  }

  async #take(step: Step, stage: Stage): Promise<void> {
    this.#options.signal.throwIfAborted();
    this.#raise(stage);
    switch (step.does) {
      case 'kill':
        return await this.#kill(step.phase, stage);
      case 'fault':
        return await this.#fault(step.name, stage);
      case 'check':
        return await this.#check(stage, step === this.#options.steps.at(-1));
    }
  }

  /** Somebody must work; who ended by itself was noted. */
  #raise(stage: Stage): void {
    for (const slot of stage.idle.slice(0, Math.max(0, FIRST_RECORDERS - stage.running.length))) slot.start();
  }

  async #kill(phase: Phase, stage: Stage): Promise<void> {
    const slot = await killIn(phase, stage, this.#chance);
    if (slot === undefined) return this.#note(`no recorder came to be killed ${phase}`);
    this.kills.add(phase);
    const ms = this.#chance.whole(0, LONGEST_ABSENCE_MS);
    this.#options.say(`kill ${this.kills.total}: ${slot.name}, ${phase}; back after ${ms} ms`);
    await sleep(ms, undefined, { signal: stage.signal });
    slot.start();
  }

  async #fault(name: FaultName, stage: Stage): Promise<void> {
    const say = (text: string) => this.#options.say(`${name}: ${text}`);
    try {
      // Recorders that still wait for their partitions would not notice.
      await occasion(stage.running, name.includes('S3') ? isWritingFiles : isStoring, stage.signal);
      const came = await FAULTS[name]({ stage, chance: this.#chance, say });
      if (came) this.faults.add(name);
      else this.#note(`${name}: did not come about`);
    } catch (error) {
      stage.signal.throwIfAborted();
      this.#note(`${name}: ${error instanceof Error ? error.message : String(error)}`);
    }
  }

  /** Everything stands still, and both stores are held against the log. */
  async #check(stage: Stage, isLast: boolean): Promise<void> {
    const { folder, say, signal } = this.#options;
    this.wireFaults.end();
    await stage.load.stop();
    const ranges = await drained(stage);
    await writeLogLines(stage.cluster.brokers, STORED_TOPICS, join(folder, 'log.tsv'), signal);
    await stage.database.use((client) => writeHotLines(client, join(folder, 'hot.tsv'), join(folder, 'hot-gone.tsv')));
    const cold = await stage.lake.list();
    const verdict = await check({ folder, lakeFolder: stage.lakeFolder, ranges, cuts: stage.cuts, cold });
    this.verdicts.push(verdict);
    const { records, hot, cold: archive } = verdict;
    const sum = (field: 'lost' | 'doubled' | 'cut') => `${hot[field]} + ${archive[field]} ${field}`;
    say(
      `check after ${this.kills.total} kills: ${records} records; hot + cold: ${sum('lost')}, ${sum('doubled')}, ${sum('cut')}`,
    );
    for (const line of verdict.lines) this.#note(line);
    if (isLast) return await this.#verify(stage);
    stage.load.start();
    this.wireFaults.begin();
  }

  /** The product's own look at the same stores, while nothing comes any more. */
  async #verify(stage: Stage): Promise<void> {
    const { folder, say, signal } = this.#options;
    const verdict = await productVerify(stage.settings, folder, signal);
    for (const line of verdict?.lines ?? []) {
      if (verdict?.ok === true) say(`aipx verify: ${line}`);
      else this.#note(`aipx verify: ${line}`);
    }
  }

  async #stopAll(stage: Stage): Promise<void> {
    this.wireFaults.end();
    for (const wrong of await Promise.all(stage.running.map((slot) => slot.terminate()))) {
      if (wrong !== undefined) this.#note(wrong);
    }
  }

  #note(line: string): void {
    this.findings.add(line);
    this.#options.say(`FOUND ${line}`);
  }
}
