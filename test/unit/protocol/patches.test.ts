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
import { exploitsOf, harmless, honest } from './exploits.ts';
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
      expect({ exploit, id: hit?.patch.id }).toEqual({ exploit, id });
      expect(hit!.offset).toBeLessThanOrEqual(exploit.length);
    }
  });

  test('alone, stops nothing legal, unless it says so', () => {
    const find = createPatchFinder([patch]);
    const stopped = legalMessages.filter(({ message }) => find(message).length > 0).map(({ file }) => file);
    if (patch.stopsLegal === undefined) expect(stopped).toEqual([]);
    else expect(stateOfPatch(patch, undefined, 'auto', () => 'on').on).toBe(false);
  });
});

test('the legal set is a large one', () => {
  expect(legalMessages.length).toBeGreaterThan(220);
});

test('near misses are stopped by no patch but those that say so', () => {
  for (const bytes of harmless()) {
    const on = findPatches(parsed(bytes)).filter(({ patch }) => patch.stopsLegal === undefined);
    expect({ bytes, on }).toEqual({ bytes, on: [] });
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
    expect([version, on('CVE-2018-8828', kamailio(version))]).toEqual([version, true]);
  for (const version of ['4.4.7', '5.0.6', '5.1.2', '5.6.3', '6.1.0'])
    expect([version, on('CVE-2018-8828', kamailio(version))]).toEqual([version, false]);
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

test('nothing is on for a server whose version is not known, or that is not affected', () => {
  for (const version of ['', '5.6.3', '6.1.0', 'unknown']) {
    expect(PATCHES.filter((patch) => stateOfPatch(patch, kamailio(version)).on)).toEqual([]);
    for (const bytes of honest()) expect([bytes, idsOf(parsed(bytes), kamailio(version))]).toEqual([bytes, []]);
  }
  expect(stateOfPatch(patchOf('kamailio-4920'), kamailio('6.0.7')).on).toBe(false);
  expect(stateOfPatch(patchOf('CVE-2018-16657'), kamailio(''))).toEqual({
    on: false,
    accuses: false,
    why: 'the version of kamailio is not known',
  });
});

test('what may stand behind the server is on when the operator says that it is there, and only accuses before', () => {
  const behind = (id: string, said: 'on' | 'off' | 'auto') =>
    stateOfPatch(patchOf(id), kamailio('5.6.3'), 'auto', (product) =>
      product === patchOf(id).products[0]!.product ? said : 'auto',
    );
  for (const id of ['CVE-2018-1000098', 'AST-2017-003', 'ES2020-03', 'CVE-2026-23457']) {
    expect({ id, ...behind(id, 'auto') }).toMatchObject({ id, on: false, accuses: true });
    expect({ id, ...behind(id, 'on') }).toMatchObject({ id, on: true, accuses: true });
    expect({ id, ...behind(id, 'off') }).toMatchObject({ id, on: false, accuses: false });
  }
  // a Call-ID of any length is legal: the word for the patch itself is needed
  expect(behind('sngrep-512', 'on')).toMatchObject({ on: false, accuses: true });
  // another server is nobody's suspicion, but may stand behind
  expect(behind('CVE-2023-28098', 'auto')).toMatchObject({ on: false, accuses: false });
  expect(behind('CVE-2023-28098', 'on').on).toBe(true);
  // nobody can say of the server itself what its version does not
  expect(stateOfPatch(patchOf('CVE-2018-14767'), kamailio('5.6.3'), 'auto', () => 'on').on).toBe(false);
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
    expect(PATCHES.filter(({ id }) => checkedIn.includes(`# ${id} (`))).toEqual(
      PATCHES.filter(({ acts }) => acts.includes('pre-parse')),
    );
  });

  /** Counters of the patches that are left when Kamailio has read its directives. */
  const onIn = (file: string, ...defines: readonly string[]): readonly string[] => {
    const defined = new Set(defines);
    const open: boolean[] = [];
    const kept: string[] = [];
    for (const line of file.split('\n')) {
      const [directive, name = ''] = line.split(' ');
      if (directive === '#!ifdef') open.push(defined.has(name));
      else if (directive === '#!ifndef') open.push(!defined.has(name));
      else if (directive === '#!endif') open.pop();
      else if (!open.every(Boolean)) continue;
      else if (directive === '#!trydef') defined.add(name);
      else kept.push(...[...line.matchAll(/c\.patch_(cve\w+)/g)].map(([, counter]) => counter!));
    }
    return kept;
  };

  test('the file beside the configuration switches nothing on', () => {
    expect(onIn(checkedIn)).toEqual([]);
    expect(onIn(checkedIn, 'COMPANION_PATCH_CVE_2020_28361')).toEqual(['cve_2020_28361']);
    expect(onIn(checkedIn, 'COMPANION_BEHIND_ASTERISK')).toEqual(['cve_2017_9372']);
    expect(onIn(checkedIn, 'COMPANION_BEHIND_ASTERISK', 'COMPANION_NO_PATCH_CVE_2017_9372')).toEqual([]);
  });

  test('with a version, what it needs is on, and what stands behind it is there to be switched on', () => {
    expect(onIn(kamailioPatches('5.1.1'))).toEqual(
      expect.arrayContaining(['cve_2018_8828', 'cve_2018_14767', 'cve_2018_16657', 'cve_2020_28361']),
    );
    expect(onIn(kamailioPatches('5.3.5'))).toEqual(['cve_2020_28361']);
    expect(onIn(kamailioPatches('5.3.5'), 'COMPANION_NO_PATCH_CVE_2020_28361')).toEqual([]);
    expect(onIn(kamailioPatches('5.6.3'))).toEqual([]);
    expect(onIn(kamailioPatches('5.6.3'), 'COMPANION_BEHIND_LINUX')).toEqual(['cve_2026_23457']);
    expect(kamailioPatches('5.6.3')).not.toContain('CVE-2018-8828');
    expect(kamailioPatches('5.6.3')).toContain('# CVE-2017-9372');
  });
});
