/** The worse, the later. */
export const HEALTH_STATUSES = ['HEALTHY', 'DEGRADED', 'UNHEALTHY'] as const;
export type HealthStatus = (typeof HEALTH_STATUSES)[number];

/** How one part stands: `upbit`, `HEALTHY`, `connected`. */
export interface HealthComponent {
  readonly name: string;
  readonly status: HealthStatus;
  readonly detail: string;
}

export interface HealthReport {
  /** The worst of the components. */
  readonly status: HealthStatus;
  readonly components: readonly HealthComponent[];
}

/** @param components each says what it knows already and never waits; one that throws counts as unhealthy */
export function healthReport(components: readonly (() => HealthComponent)[]): HealthReport {
  const all = components.map((component, index) => {
    try {
      return component();
    } catch (cause) {
      const detail = `its state cannot be read: ${cause instanceof Error ? cause.message : String(cause)}`;
      return { name: component.name || `component ${index + 1}`, status: 'UNHEALTHY', detail } as const;
    }
  });
  const worst = Math.max(0, ...all.map(({ status }) => HEALTH_STATUSES.indexOf(status)));
  return { status: HEALTH_STATUSES[worst] ?? 'UNHEALTHY', components: all };
}

/** `HEALTHY`, and one line a component: `upbit: connected`. */
export function healthText({ status, components }: HealthReport): string {
  return [status, ...components.map(({ name, detail }) => `${name}: ${detail}`)].map((line) => `${line}\n`).join('');
}
