/**
 * Lets a thread or process of a test run the TypeScript sources: Node.js strips types but knows neither enums nor `.js`
 * specifiers that mean `.ts` files. Not part of a build.
 */
import { existsSync, readFileSync } from 'node:fs';
import { registerHooks } from 'node:module';
import { fileURLToPath, URL } from 'node:url';
import { transformSync } from 'rolldown/utils';

registerHooks({
  resolve(specifier, context, nextResolve) {
    const source = specifier.startsWith('.') && new URL(specifier.replace(/\.js$/, '.ts'), context.parentURL);
    if (source && source.pathname.endsWith('.ts') && existsSync(source))
      return { url: source.href, shortCircuit: true };
    return nextResolve(specifier, { ...context, conditions: [...context.conditions, '@aipx/source'] });
  },
  load(url, context, nextLoad) {
    if (!url.endsWith('.ts')) return nextLoad(url, context);
    const path = fileURLToPath(url);
    return { format: 'module', source: transformSync(path, readFileSync(path, 'utf8')).code, shortCircuit: true };
  },
});
