import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram, isExecutable } from '../programs.js';
import { cacheFolder, packageFolder } from '../workspace.js';

export const KAFKA_VERSION = '4.3.0';

export const JARS = cacheFolder(`kafka-${KAFKA_VERSION}`);
const CLASSES = 'classes.jsa';
const OLDEST_JAVA = 17;

/** Where the files lie that belong to the broker and not to a run of it. */
export const kafkaFiles = {
  classPath: join(JARS, '*'),
  logSettings: join(packageFolder, 'kafka', 'log4j2.properties'),
};

/** Why Kafka cannot run here and how to get what is missing (a JDK 17+, Maven); `undefined` when it can. */
export function kafkaUnavailable(): string | undefined {
  const version = javaVersion();
  if (version === undefined || version < OLDEST_JAVA) {
    const found = version === undefined ? 'finds none' : `finds Java ${version}`;
    return (
      `Kafka ${KAFKA_VERSION} needs Java ${OLDEST_JAVA} or later and ${found} in JAVA_HOME or on the PATH; ` +
      'install a JDK (Debian, Ubuntu: apt-get install openjdk-17-jdk-headless; macOS: brew install openjdk)'
    );
  }
  if (existsSync(JARS) || findProgram('mvn') !== undefined) return undefined;
  return (
    `Kafka ${KAFKA_VERSION} is fetched by Maven once, and there is no mvn on the PATH; ` +
    'install it (Debian, Ubuntu: apt-get install maven; macOS: brew install maven)'
  );
}

/** The program that runs the broker. */
export function java(): string {
  const home = process.env['JAVA_HOME'];
  const inHome = home === undefined || home === '' ? undefined : join(home, 'bin', 'java');
  if (inHome !== undefined && isExecutable(inHome)) return inHome;
  return findProgram('java') ?? 'java';
}

/** Where the broker's classes lie as this very Java keeps them in memory. */
export function classArchiveFolder(): string {
  const id = createHash('sha256').update(`${java()} ${javaBanner()}`).digest('hex').slice(0, 12);
  return cacheFolder(`kafka-${KAFKA_VERSION}-classes-${id}`);
}

/** The flag under which a JVM writes such an archive when it ends. */
export function archiveClasses(folder: string): string {
  return `-XX:ArchiveClassesAtExit=${join(folder, CLASSES)}`;
}

/** The flag under which a JVM starts from the archive, which halves the start; none where there is no archive. */
export function sharedClasses(): readonly string[] {
  const archive = join(classArchiveFolder(), CLASSES);
  return existsSync(archive) ? [`-XX:SharedArchiveFile=${archive}`] : [];
}

function javaVersion(): number | undefined {
  const [, major] = /version "(\d+)/.exec(javaBanner()) ?? [];
  return major === undefined ? undefined : Number(major);
}

let banner: { readonly program: string; readonly text: string } | undefined;

/** What Java says of itself; asked once, since it takes a JVM to say it. Empty when there is none. */
function javaBanner(): string {
  const program = java();
  if (banner?.program !== program) {
    const { stderr } = spawnSync(program, ['-version'], { encoding: 'utf8' });
    banner = { program, text: stderr ?? '' };
  }
  return banner.text;
}
