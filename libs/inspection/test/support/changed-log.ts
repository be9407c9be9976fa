import type { EventLog } from '@aipx/event-log';

/** The log, with some answers of its own. */
export function changedLog(log: EventLog, answers: Partial<EventLog>): EventLog {
  return new Proxy(log, {
    get: (target, name) => {
      if (name in answers) return Reflect.get(answers, name);
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}
