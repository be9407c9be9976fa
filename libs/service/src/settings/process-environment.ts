import { MarketDataError } from '@aipx/market-model';

/**
 * One setting from the environment, or its default.
 *
 * @throws {MarketDataError} `CONFIG_INVALID` naming the variable, its value and the choices
 */
export function choiceFromEnvironment<Choice extends string>(
  name: string,
  choices: readonly Choice[],
  fallback: Choice,
  environment: Readonly<Record<string, string | undefined>> = process.env,
): Choice {
  const raw = environment[name];
  if (raw === undefined || raw === '') return fallback;
  const choice = choices.find((candidate) => candidate === raw);
  if (choice === undefined) {
    throw new MarketDataError(
      'CONFIG_INVALID',
      `${name}: ${JSON.stringify(raw)} from the environment is not one of ${choices.join(', ')}`,
    );
  }
  return choice;
}

/** The folder the user stood in: npm runs scripts in the package's folder and says so in `INIT_CWD`. */
export function invocationFolder(environment: Readonly<Record<string, string | undefined>> = process.env): string {
  return environment['INIT_CWD'] ?? process.cwd();
}
