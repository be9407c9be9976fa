import eslint from '@eslint/js';
import nx from '@nx/eslint-plugin';
import prettier from 'eslint-config-prettier';
import tseslint from 'typescript-eslint';
import { layerRules, restrictedImports } from './tools/lint/src/import-rules.mjs';

export default tseslint.config(
  {
    ignores: ['**/dist/**', '**/gen/**', '**/coverage/**', '**/node_modules/**', '**/reports/**', '.nx/**', '.aipx/**'],
  },
  eslint.configs.recommended,
  ...tseslint.configs.strict,
  ...tseslint.configs.stylistic,
  { plugins: { '@nx': nx } },
  {
    files: ['**/*.ts'],
    languageOptions: { parserOptions: { projectService: true } },
    rules: {
      '@typescript-eslint/switch-exhaustiveness-check': 'error',
      '@typescript-eslint/no-floating-promises': 'error',
      '@typescript-eslint/no-misused-promises': 'error',
      '@typescript-eslint/await-thenable': 'error',
      '@typescript-eslint/consistent-type-imports': ['error', { fixStyle: 'inline-type-imports' }],
      '@typescript-eslint/consistent-type-definitions': ['error', 'interface'],
    },
  },
  {
    rules: {
      '@nx/enforce-module-boundaries': ['error', { enforceBuildableLibDependency: true, depConstraints: layerRules }],
      'max-lines': ['error', { max: 400, skipBlankLines: true, skipComments: true }],
      eqeqeq: 'error',
      'no-console': 'error',
    },
  },
  {
    // A simulated venue is tested on the host that serves it, and what processes share on real servers.
    files: ['libs/venues/*/src/**/*.test.ts', 'libs/venues/*/test/**/*.ts'],
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: true,
          depConstraints: layerRules,
          allow: ['@aipx/venue-simulator', '@aipx/stack'],
        },
      ],
    },
  },
  {
    // Tests run on real servers.
    files: [
      ...['libs/*/src/**/*.test.ts', 'libs/*/src/testing/**/*.ts', 'libs/*/test/**/*.ts'],
      ...['apps/*/src/**/*.test.ts', 'apps/*/test/**/*.ts'],
    ],
    rules: {
      '@nx/enforce-module-boundaries': [
        'error',
        {
          enforceBuildableLibDependency: true,
          depConstraints: layerRules,
          allow: ['@aipx/stack', '@aipx/embedded-postgres'],
        },
      ],
    },
  },
  ...restrictedImports,
  {
    files: ['**/vitest.config.ts', 'vitest.shared.ts'],
    ...tseslint.configs.disableTypeChecked,
    languageOptions: { parserOptions: { projectService: false } },
    rules: { ...tseslint.configs.disableTypeChecked.rules, '@nx/enforce-module-boundaries': 'off' },
  },
  {
    files: ['tools/**/*.mjs'],
    languageOptions: { globals: { process: 'readonly', console: 'readonly', URL: 'readonly' } },
    rules: { 'no-console': 'off' },
  },
  { files: ['tools/**/*.ts'], rules: { 'no-console': 'off' } },
  prettier,
);
