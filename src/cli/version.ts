import { readFileSync } from 'node:fs';

/** Version of this installation. package.json lies two levels up, both from `src/cli` and from `dist/cli`. */
export const ownVersion = (): string => {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
};
