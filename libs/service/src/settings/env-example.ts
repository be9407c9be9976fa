import { yamlPath, type PlacedSetting, type Setting, type SettingsSchema } from './schema.js';

/**
 * The text of `.env.example`: every setting with its meaning, what is right, and its default. A setting that has a
 * default is commented out, so that a copy of the file changes nothing until somebody fills it in.
 */
export function envExample(schema: SettingsSchema): string {
  const groups = Map.groupBy(schema.placed, ({ group }) => group);
  const sections = [...groups].map(([group, placed]) => section(group, placed));
  return `${[head(schema), ...sections].join('\n\n')}\n`;
}

function head({ app, placed }: SettingsSchema): string {
  const sample = placed.find(({ group }) => group !== undefined);
  return [
    `# Settings of ${app}, generated from their schema. Copy to .env in the folder where the app is started.`,
    '# Flags win over the environment, the environment over .env, .env over the YAML file (--config), that over defaults.',
    ...(sample === undefined
      ? []
      : [
          `# In YAML the same tree in lower camel case: ${sample.setting.env} is ${yamlPath(sample.setting.env, sample.group)}.`,
        ]),
  ].join('\n');
}

function section(group: string | undefined, placed: readonly PlacedSetting[]): string {
  const title = group === undefined ? [] : [`# -------- ${group}`];
  return [...title, ...placed.map(({ setting }) => entry(setting))].join('\n\n');
}

function entry(setting: Setting): string {
  const { env, type, describe, required, secret, aliases = [] } = setting;
  const notes = [
    `${describe}.`,
    `${capitalised(type.expected)}.`,
    secret ? 'Secret: never in YAML or flags.' : '',
    aliases.length > 0 ? `Also named ${aliases.join(', ')}.` : '',
    required ? 'Required.' : setting.default === undefined ? 'Not set by default.' : '',
  ];
  const comment = wrapped(notes.filter((note) => note !== '').join(' '));
  const value = required ? (setting.example ?? '') : (setting.default ?? setting.example ?? '');
  return `${comment}\n${required ? '' : '#'}${env}=${value}`;
}

const WIDTH = 118;

function wrapped(words: string): string {
  const lines: string[] = [];
  for (const word of words.split(' ')) {
    const last = lines.at(-1);
    if (last === undefined || last.length + word.length + 1 > WIDTH) lines.push(`# ${word}`);
    else lines[lines.length - 1] = `${last} ${word}`;
  }
  return lines.join('\n');
}

function capitalised(phrase: string): string {
  return phrase.charAt(0).toUpperCase() + phrase.slice(1);
}
