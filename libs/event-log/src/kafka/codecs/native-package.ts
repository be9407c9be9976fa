import { createRequire } from 'node:module';

/** A package that is loaded when it is first needed: most processes need none, and each takes some megabytes. */
export function nativePackage<Package>(name: string): () => Package {
  let loaded: Package | undefined;
  return () => (loaded ??= createRequire(import.meta.url)(name) as Package);
}
