import { createHash } from 'node:crypto';
import { isAbsolute } from 'node:path';
import { z } from 'zod';
import { loadConfig } from '../config/index.ts';
import { packSchema, shippedPack, type ToolPack } from '../enrich/index.ts';
import { CompanionError } from '../model/index.ts';

const MAX_PACKS = 16;

/** A pack that was read. As JSON it is one line that changes with what stands in it: for `explain`, and for a reload. */
export interface NamedPack {
  readonly file: string;
  readonly pack: ToolPack;
  toJSON(): string;
}

const named = (file: string, pack: ToolPack): NamedPack => {
  const digest = createHash('sha256').update(JSON.stringify(pack)).digest('hex').slice(0, 12);
  return { file, pack, toJSON: () => `${file} (${pack.entries.length} entries, ${digest})` };
};

/** The lines of a refused file, `FILE:3:5 entries[0].risk must be …`, without the heading. */
const problemsOf = ({ message }: CompanionError): readonly string[] => {
  const [first = '', ...lines] = message.split('\n');
  return lines.length === 0 ? [first] : lines;
};

/**
 * Reads packs of tools. @returns them in their order; a pack that is wrong is told to `complain`, each problem by itself
 */
const readPacks = (
  files: readonly string[],
  complain: (index: number, problem: string) => void,
): readonly NamedPack[] =>
  files.flatMap((file, index) => {
    try {
      return [named(file, loadConfig({ file, schema: packSchema }))];
    } catch (error) {
      if (!(error instanceof CompanionError)) throw error;
      for (const problem of problemsOf(error)) complain(index, problem);
      return [];
    }
  });

/** A typing mistake must not leave an entry on that was meant to be off. */
const checkOff = (packs: readonly NamedPack[], complain: (index: number, problem: string) => void): void => {
  const known = new Set(shippedPack().entries.map(({ name }) => name));
  for (const [index, { file, pack }] of packs.entries()) {
    for (const name of pack.off)
      if (!known.has(name)) complain(index, `${file} switches off '${name}', which no pack before it has`);
    for (const { name } of pack.entries) known.add(name);
  }
};

/**
 * `packs: [FILE]`: read together with the configuration that names them, so that a reload takes new packs as it takes
 * new settings, and refuses a wrong one while the old goes on.
 */
export const packsSetting = z
  .array(z.string().refine((text) => isAbsolute(text) && !text.includes('\0'), 'must be an absolute path'))
  .max(MAX_PACKS, `holds more than ${MAX_PACKS} packs`)
  .transform((files, ctx): readonly NamedPack[] => {
    const complain = (index: number, problem: string): void =>
      ctx.addIssue({ code: 'custom', path: [index], message: `is a pack with a problem: ${problem}` });
    const packs = readPacks(files, complain);
    // where one is missing the others may miss its entries
    if (packs.length === files.length) checkOff(packs, complain);
    return packs;
  })
  .prefault([])
  .describe('packs of known tools besides our own, YAML files');
