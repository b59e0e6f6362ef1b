import { csvLine } from '../../../protocol/index.ts';
import { EXIT } from '../../exit-codes.ts';
import type { ImportKind } from './import.ts';

const EXAMPLES: Readonly<Record<ImportKind, readonly (readonly string[])[]>> = {
  ban: [
    ['203.0.113.7', 'guessed passwords', '4h'],
    ['2001:db8:1:2::/64', 'scanner', 'permanent'],
  ],
  allow: [
    ['198.51.100.0/24', 'our office', 'permanent'],
    ['203.0.113.9', 'visitor', '30d'],
  ],
  deny: [
    ['203.0.113.0/28', 'from the old list', 'permanent'],
    ['2001:db8::/48', '', '30d'],
  ],
};

/** `companion ban template`: a file to fill in, for import. */
export const template = (kind: ImportKind): Promise<number> => {
  process.stdout.write(`# ${kind} list: lines with # are left out; note and duration may be empty\r\n`);
  process.stdout.write(csvLine(['Network/IP Address', 'Note', 'Duration']));
  for (const row of EXAMPLES[kind]) process.stdout.write(csvLine(row));
  return Promise.resolve(EXIT.ok);
};
