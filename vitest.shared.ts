import { basename, join, relative } from 'node:path';
import type { ViteUserConfig } from 'vitest/config';

/**
 * The one test setup of all projects: sources are resolved through the `@aipx/source` export condition, so a test
 * needs no build; results also go to `reports/` as JSON, which `npm test` adds up into its last line.
 */
export function projectConfig(root: string, test: ViteUserConfig['test'] = {}): ViteUserConfig {
  const workspace = import.meta.dirname;
  const report = join(workspace, 'reports', `${relative(workspace, root)}.json`);
  return {
    root,
    ssr: { resolve: { conditions: ['@aipx/source', 'node', 'development|production'] } },
    test: {
      name: basename(root),
      environment: 'node',
      include: ['src/**/*.test.ts', 'test/**/*.test.ts'],
      reporters: ['default', ['json', { outputFile: report }]],
      coverage: { provider: 'v8', include: ['src/**/*.ts'], exclude: ['src/**/*.test.ts', 'src/**/gen/**'] },
      passWithNoTests: false,
      testTimeout: 30_000,
      hookTimeout: 60_000,
      ...test,
    },
  };
}
