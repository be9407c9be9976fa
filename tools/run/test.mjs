import { spawnSync } from 'node:child_process';
import { existsSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { ensureInstalled, note, pinnedNode, root, runNx } from './workspace.mjs';

// `npm test`: lint, type check, build, unit and integration tests of every project, then one line with the sum.

ensureInstalled();
const reports = join(root, 'reports');
// Cached results bring their reports back; what is left of an earlier run must not be counted.
rmSync(reports, { recursive: true, force: true });

const format = spawnSync(pinnedNode, [join(root, 'node_modules', 'prettier', 'bin', 'prettier.cjs'), '--check', '.'], {
  cwd: root,
  stdio: ['ignore', 2, 2],
});
const { status } = runNx([
  'run-many',
  '-t',
  'lint',
  'typecheck',
  'build',
  'test',
  '--parallel=2',
  '--output-style=static',
  '--nxBail=false',
]);
const sum = { passed: 0, failed: 0, skipped: 0 };
for (const path of existsSync(reports) ? reportFiles(reports) : []) {
  const report = JSON.parse(readFileSync(path, 'utf8'));
  if (report.testResults === undefined) continue; // a benchmark's figures lie there too
  sum.passed += report.numPassedTests;
  sum.failed += report.numFailedTests;
  sum.skipped += report.numPendingTests + report.numTodoTests;
  for (const suite of report.testResults) {
    if (suite.status === 'failed' && suite.assertionResults.length === 0) sum.failed += 1;
    for (const test of suite.assertionResults) {
      if (test.status === 'skipped' || test.status === 'pending') console.log(`SKIPPED ${test.fullName}`);
      if (test.status === 'failed') console.log(`FAILED ${test.fullName}`);
    }
  }
}

const skippedInCi = process.env.CI && sum.skipped > 0;
if (format.status !== 0) note('some files are not formatted: npm run format');
if (status !== 0) note('a step failed; what nx printed above says which');
if (skippedInCi) note('in CI nothing may be skipped');
console.log(`${sum.passed} passed, ${sum.failed} failed, ${sum.skipped} skipped`);
const failed = format.status !== 0 || status !== 0;
process.exitCode = failed || sum.failed > 0 || sum.passed === 0 || skippedInCi ? 1 : 0;

function reportFiles(folder) {
  return readdirSync(folder).flatMap((name) => {
    const path = join(folder, name);
    return statSync(path).isDirectory() ? reportFiles(path) : name.endsWith('.json') ? [path] : [];
  });
}
