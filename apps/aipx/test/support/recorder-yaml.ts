import { readFileSync } from 'node:fs';
import { join } from 'node:path';

/** Generated from the recorder's schema, group by group. */
const EXAMPLE = join(import.meta.dirname, '../../../data-recorder/.env.example');

/** Every setting that a recorder may have in YAML, with its default where there is one. */
export function recorderYaml(): string {
  let prefix = '';
  return readFileSync(EXAMPLE, 'utf8')
    .split('\n')
    .flatMap((line) => {
      const { group, name, value } = /^# -+ (?<group>\w+)$|^#(?<name>[A-Z\d_]+)=(?<value>.*)$/.exec(line)?.groups ?? {};
      if (group !== undefined) {
        prefix = `${group.toUpperCase()}_`;
        return [`${group}:`];
      }
      // Passwords are refused in YAML.
      return name === undefined || name.endsWith('_PASSWORD') ? [] : [`  ${keyOf(name, prefix)}: ${value}`];
    })
    .join('\n');
}

/** `topicPartitions` for `KAFKA_TOPIC_PARTITIONS` in the group `kafka`. */
function keyOf(name: string, prefix: string): string {
  const words = (name.startsWith(prefix) ? name.slice(prefix.length) : name).toLowerCase();
  return words.replaceAll(/_([a-z\d])/g, (_, letter: string) => letter.toUpperCase());
}
