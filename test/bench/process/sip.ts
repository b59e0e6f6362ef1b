import { createRequire } from 'node:module';
import { isParseFault, isSipFault, parseSip, validateBytes, viewOf } from '../../../src/protocol/index.ts';
import { round } from '../report.ts';
import type { Row } from '../report.ts';
import { cpuMs } from './cpu.ts';
import { messageOf } from './messages.ts';

const require = createRequire(import.meta.url);

/** Parser of the npm package `sip`: splits headers and parses the structured ones. */
const sip = require('sip/sip.js') as { readonly parse: (text: string) => unknown };

/** Parser of `jssip`: its headers by the generated grammar of RFC 3261. */
const jssip = require('jssip/lib/Parser.js') as { readonly parseMessage: (text: string, ua: object) => unknown };

const INVITES = 2_000;
const ROUNDS = 9;

/** Messages a second of each way in, turn by turn so that a busy machine slows all of them alike; medians. */
const race = (messages: readonly Buffer[], ways: readonly ((bytes: Buffer) => unknown)[]): readonly number[] => {
  const times = ways.map((): number[] => []);
  for (let turn = 0; turn < ROUNDS + 2; turn += 1) {
    for (const [index, way] of ways.entries()) {
      // the generated grammar is two orders slower
      const count = index === ways.length - 1 ? Math.ceil(messages.length / 20) : messages.length * 5;
      const began = cpuMs();
      for (let n = 0; n < count; n += 1) {
        if (way(messages[n % messages.length]!) === undefined) throw new Error('a message was not read');
      }
      if (turn >= 2) times[index]!.push((cpuMs() - began) / count);
    }
  }
  return times.map((list) => 1_000 / list.toSorted((a, b) => a - b)[ROUNDS >> 1]!);
};

const thousands = (perSecond: number): string => `${round(perSecond / 1_000, perSecond < 100_000 ? 1 : 0)} k/s`;

/** INVITEs with SDP as phones send them, some 900 bytes: ours beside the parsers on npm. */
export const measureSip = (): Row[] => {
  const messages: Buffer[] = [];
  for (let n = 0; messages.length < INVITES; n += 1) {
    const { raw } = messageOf(n, 1_000);
    if (raw.toString('latin1', 0, 7) === 'INVITE ') messages.push(raw);
  }
  const ua = {};
  const [indexed, viewed, strict, whole, npmSip, npmJssip] = race(messages, [
    (bytes) => (isParseFault(parseSip(bytes)) ? undefined : bytes),
    (bytes) => {
      const message = parseSip(bytes);
      if (isParseFault(message)) return undefined;
      const view = viewOf(message);
      return isSipFault(view) ? undefined : view;
    },
    (bytes) => validateBytes(bytes, { stream: false, cut: false }).message,
    (bytes) => {
      const { message } = validateBytes(bytes, { stream: false, cut: false });
      return message === undefined ? undefined : viewOf(message);
    },
    (bytes) => sip.parse(bytes.toString('latin1')),
    (bytes) => jssip.parseMessage(bytes.toString('latin1'), ua),
  ]) as [number, number, number, number, number, number];
  const beside = `sip ${thousands(npmSip)}, jssip ${thousands(npmJssip)}`;
  const row = (what: string, perSecond: number, aim?: number): Row => ({
    what,
    measured: `${thousands(perSecond)} (${round(perSecond / npmSip, 1)}× sip, ${round(perSecond / npmJssip, 0)}× jssip)`,
    beside,
    ...(aim === undefined ? {} : { aim: `≥ ${thousands(aim)}`, met: perSecond >= aim }),
    figures: { perSecond: round(perSecond, 0), sip: round(npmSip, 0), jssip: round(npmJssip, 0) },
  });
  return [
    row('INVITEs parsed: index of the lines', indexed),
    row('INVITEs parsed, with what a verdict needs', viewed, 400_000),
    row('INVITEs parsed and validated (strict)', strict, 150_000),
    row('all three: what an ask costs', whole),
  ];
};
