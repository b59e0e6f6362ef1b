import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { isParseFault, parseSip } from '../../../src/protocol/sip/message/index.ts';
import type { SipMessage } from '../../../src/protocol/sip/message/index.ts';
import {
  createPatchFinder,
  findPatches,
  isInRange,
  kamailioPatches,
  PATCHES,
  stateOfPatch,
} from '../../../src/protocol/sip/patches/index.ts';
import type { Patch, Server } from '../../../src/protocol/sip/patches/index.ts';
import { exploitsOf, harmless } from './exploits.ts';
import { labelledMessages } from './verdicts.ts';

const kamailio = (version: string): Server => ({ product: 'kamailio', version });
const opensips = (version: string): Server => ({ product: 'opensips', version });

const parsed = (bytes: Buffer): SipMessage => {
  const message = parseSip(bytes);
  if (isParseFault(message)) throw new Error(`${message.fault}: ${message.detail}`);
  return message;
};

const idsOf = (message: SipMessage, server?: Server): string[] =>
  findPatches(message, server).map(({ patch }) => patch.id);

const patchOf = (id: string): Patch => PATCHES.find((patch) => patch.id === id)!;

/** Everything that an edge must let through, and the messages of tools, which are legal in form. */
const legal = labelledMessages().filter(
  ({ strict, edge }) => strict === 'accept' || strict === 'reject-or-accept' || edge === 'forward',
);

const legalMessages = legal.flatMap(({ file, bytes }) => {
  const message = parseSip(bytes);
  return isParseFault(message) ? [] : [{ file, message }];
});

describe.each(PATCHES.map((patch) => [patch.id, patch] as const))('%s', (id, patch) => {
  test('stops the message of its advisory, and its variants', () => {
    const exploits = exploitsOf(id);
    expect(exploits.length).toBeGreaterThan(0);
    const find = createPatchFinder([patch]);
    for (const exploit of exploits) {
      const [hit] = find(parsed(exploit));
      expect(hit?.patch.id, exploit.toString('latin1')).toBe(id);
      expect(hit!.offset).toBeLessThanOrEqual(exploit.length);
    }
  });

  test('alone, stops nothing legal, unless it says so', () => {
    const find = createPatchFinder([patch]);
    const stopped = legalMessages.filter(({ message }) => find(message).length > 0).map(({ file }) => file);
    if (patch.stopsLegal === undefined) expect(stopped).toEqual([]);
    else expect(stateOfPatch(patch, undefined).on).toBe(false);
  });
});

test('the legal set is a large one', () => {
  expect(legalMessages.length).toBeGreaterThan(220);
});

test('near misses are stopped by no patch that is on by itself', () => {
  for (const bytes of harmless()) {
    const on = findPatches(parsed(bytes)).filter(({ patch }) => stateOfPatch(patch, undefined).on);
    expect(on, bytes.toString('latin1')).toEqual([]);
  }
});

test('long legal tags are stopped for a server that they would crash, and for no other', () => {
  const longest = legalMessages.find(({ file }) => file === 'rfc4475/longreq.dat')!.message;
  expect(idsOf(longest, kamailio('5.1.1'))).toEqual(['CVE-2018-8828']);
  expect(idsOf(longest, kamailio('5.6.3'))).toEqual([]);
  expect(idsOf(longest, kamailio(''))).toEqual([]);
});

test('on by itself where the version is affected, off where it is not', () => {
  const on = (id: string, server?: Server) => stateOfPatch(patchOf(id), server).on;
  for (const version of ['4.4.6', '5.0.5', '5.1.0', '5.1.1-pre2', 'kamailio 5.1.1 (x86_64/linux)'])
    expect(on('CVE-2018-8828', kamailio(version)), version).toBe(true);
  for (const version of ['4.4.7', '5.0.6', '5.1.2', '5.6.3', '6.1.0'])
    expect(on('CVE-2018-8828', kamailio(version)), version).toBe(false);
  expect(on('CVE-2020-28361', kamailio('5.3.5'))).toBe(true);
  expect(on('CVE-2020-28361', kamailio('5.4.0'))).toBe(false);
  expect(on('CVE-2023-28098', opensips('3.1.6'))).toBe(true);
  expect(on('CVE-2023-28098', opensips('3.2.3'))).toBe(true);
  expect(on('CVE-2023-28098', opensips('3.2.4'))).toBe(false);
  expect(on('CVE-2023-28098', kamailio('5.6.3'))).toBe(false);
  expect(on('CVE-2026-25554', opensips('3.6.3'))).toBe(true);
  expect(on('CVE-2026-25554', opensips('3.6.4'))).toBe(false);
  expect(on('CVE-2026-25554', opensips('3.0.9'))).toBe(false);
});

test('on where a version is not known and nothing legal is stopped; what needs a module is never on by itself', () => {
  expect(stateOfPatch(patchOf('CVE-2018-1000098'), kamailio('5.6.3'))).toEqual({
    on: true,
    why: 'the version of asterisk is not known, and nothing legal is stopped',
  });
  expect(stateOfPatch(patchOf('CVE-2018-16657'), kamailio('')).on).toBe(true);
  expect(stateOfPatch(patchOf('kamailio-4920'), kamailio('6.0.7')).on).toBe(false);
});

test('an operator has the last word', () => {
  expect(stateOfPatch(patchOf('CVE-2018-8828'), kamailio('5.6.3'), 'on').on).toBe(true);
  expect(stateOfPatch(patchOf('CVE-2018-8828'), kamailio('5.1.1'), 'off').on).toBe(false);
});

test('ranges include their start and exclude the fix', () => {
  expect(isInRange('5.1', { from: '5.1', fixed: '5.1.4' })).toBe(true);
  expect(isInRange('5.1.4', { from: '5.1', fixed: '5.1.4' })).toBe(false);
  expect(isInRange('15.2.0', { from: '15', last: '15.2.0' })).toBe(true);
  expect(isInRange('15.2.1', { from: '15', last: '15.2.0' })).toBe(false);
  expect(isInRange('10.0.0', { fixed: '9.9.9' })).toBe(false);
});

test('a message that was cut on the way is not accused of what is missing', () => {
  const multipart = harmless().find((bytes) => bytes.includes('multipart/mixed'))!;
  const start = parsed(multipart.subarray(0, multipart.length - 10));
  expect(findPatches(start).map(({ patch }) => patch.id)).toEqual(['AST-2017-003']);
  expect(findPatches(start, undefined, { cut: true })).toEqual([]);
  const open = exploitsOf('CVE-2023-27599')[0]!;
  const within = open.indexOf('"abc') + 2;
  expect(findPatches(parsed(open.subarray(0, within)), undefined, { cut: true })).toEqual([]);
});

describe('in front of Kamailio', () => {
  const checkedIn = readFileSync(new URL('../../../kamailio/companion/patches.cfg', import.meta.url), 'utf8');

  test('the file beside the configuration is what the catalogue makes', () => {
    expect(checkedIn).toBe(kamailioPatches());
  });

  test('every patch that names this place is in it', () => {
    for (const { id, acts } of PATCHES) expect(checkedIn.includes(`# ${id} (`), id).toBe(acts.includes('pre-parse'));
  });

  test('with a version, only what protects it and what stands behind it', () => {
    expect(kamailioPatches('5.1.1')).toContain('CVE-2018-8828');
    expect(kamailioPatches('5.1.1')).not.toContain('COMPANION_PATCH_');
    expect(kamailioPatches('5.6.3')).not.toContain('CVE-2018-8828');
    expect(kamailioPatches('5.6.3')).toContain('CVE-2017-9372');
  });
});
