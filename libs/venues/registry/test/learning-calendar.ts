import { SessionCalendar, type SpecialDays } from '@aipx/venue-kis';

/** A calendar that says when it has learned of days. */
export class LearningCalendar extends SessionCalendar {
  readonly #lists = [Promise.withResolvers<undefined>(), Promise.withResolvers<undefined>()];
  #count = 0;

  override replaceDays(days: SpecialDays): void {
    super.replaceDays(days);
    if (days.size === 0) return;
    this.#lists[this.#count]?.resolve(undefined);
    this.#count += 1;
  }

  /** Resolves when it has its first list, or its second. */
  async learned(lists: 1 | 2 = 1): Promise<void> {
    await this.#lists[lists - 1]?.promise;
  }

  isOpen(day: string): boolean {
    return this.isDataExpected('KRX', Temporal.ZonedDateTime.from(`${day}T10:00[Asia/Seoul]`).epochNanoseconds);
  }
}
