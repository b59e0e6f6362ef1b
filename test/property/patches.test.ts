import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isParseFault, parseSip } from '../../src/protocol/index.ts';
import { findPatches, PATCHES } from '../../src/protocol/sip/patches/index.ts';
import { exploitsOf, harmless } from '../unit/protocol/exploits.ts';

const seeds = [...PATCHES.flatMap(({ id }) => exploitsOf(id)), ...harmless()];

/** A message with bytes changed, taken out and put in, where structure breaks. */
const mutated = fc
  .tuple(
    fc.nat({ max: seeds.length - 1 }),
    fc.array(
      fc.tuple(
        fc.nat({ max: 5_000 }),
        fc.nat({ max: 40 }),
        fc.constantFrom('', '"', '\\', '\0', '\r\n', '\n ', ';', ',', '<', '=', ':', 'tag=', '\r\nm=', '.'),
      ),
      { minLength: 1, maxLength: 6 },
    ),
  )
  .map(([seed, changes]) =>
    changes.reduce((bytes, [at, length, text]) => {
      const from = at % (bytes.length + 1);
      return Buffer.concat([bytes.subarray(0, from), Buffer.from(text, 'latin1'), bytes.subarray(from + length)]);
    }, seeds[seed]!),
  );

test('any bytes give an answer, with places within the message, and the same for what a cut message can show', () => {
  fc.assert(
    fc.property(mutated, (bytes) => {
      const message = parseSip(bytes);
      if (isParseFault(message)) return;
      const hits = findPatches(message);
      for (const { offset } of hits) {
        expect(offset).toBeGreaterThanOrEqual(0);
        expect(offset).toBeLessThanOrEqual(bytes.length);
      }
      const all = new Set(hits.map(({ patch }) => patch.id));
      for (const { patch } of findPatches(message, undefined, { cut: true })) expect(all.has(patch.id)).toBe(true);
    }),
    { numRuns: 2_000, seed: 4 },
  );
});
