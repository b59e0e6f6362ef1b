import { quantile } from '../../e2e/kit/figures.ts';
import { compileAgents } from '../../../src/enrich/user-agent.ts';
import { PrefixMap, SCANNER_AGENTS, shippedPack, shippedTools, wireIdOf } from '../../../src/enrich/index.ts';
import { parseCidr } from '../../../src/model/index.ts';
import { findPatches, isParseFault, isSipFault, parseSip, PATCHES, readSip } from '../../../src/protocol/index.ts';
import { round } from '../report.ts';
import type { Row } from '../report.ts';
import { addressOf, messageOf } from './messages.ts';

const ROUNDS = 9;

/** Keeps the optimiser from leaving out what nobody looks at. */
let seen = 0;

/** Nanoseconds of one call, the median of several rounds. */
const nanoseconds = (calls: number, work: (n: number) => unknown): number => {
  const times: number[] = [];
  for (let turn = 0; turn < ROUNDS + 2; turn += 1) {
    const began = performance.now();
    for (let n = 0; n < calls; n += 1) if (work(n) !== undefined) seen += 1;
    if (turn >= 2) times.push(((performance.now() - began) * 1e6) / calls);
  }
  return quantile(times, 0.5);
};

const row = (what: string, ns: number, beside: string, peer: number, more: Partial<Row> = {}): Row => ({
  what,
  measured: ns >= 1_000 ? `${round(ns / 1_000, 1)} µs` : `${round(ns, 0)} ns`,
  beside,
  figures: { ns: round(ns, 0), peer: round(peer, 0) },
  ...more,
});

/** `count` names of six to twelve letters that stand in no User-Agent. */
const inventedAgents = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    pattern: `q${((n + 7) * 2_654_435_761).toString(36).slice(0, 5 + (n % 7))}z`,
    risk: 'low' as const,
  }));

const networks = (count: number): PrefixMap<true> => {
  const map = new PrefixMap<true>();
  const lengths = [8, 16, 20, 22, 24, 28, 32];
  for (let n = 0; n < count; n += 1) map.set(parseCidr(`${addressOf(n * 31)}/${lengths[n % lengths.length]}`), true);
  return map;
};

/** The parts of the hot path one by one. */
export const measurePieces = (): Row[] => {
  const messages = Array.from({ length: 4_000 }, (_, n) => messageOf(n, 1_000));
  const read = nanoseconds(20_000, (n) => readSip(messages[n % messages.length]!.raw));
  const text = nanoseconds(20_000, (n) => messages[n % messages.length]!.raw.toString('latin1').split('\r\n'));

  const views = messages.flatMap(({ raw }) => {
    const sip = readSip(raw);
    return isSipFault(sip) ? [] : [sip];
  });
  // a message is looked at right after it was read: thousands of others would measure the memory, not the work
  const hot = views.slice(0, 64);
  // its header lines are made into text once, for whoever asks first
  for (const { headers } of hot) seen += headers.length;
  const shape = nanoseconds(50_000, (n) => wireIdOf(hot[n & 63]!));
  const tools = shippedTools();
  const tool = nanoseconds(50_000, (n) => tools(hot[n & 63]!));

  const parsed = messages.slice(0, 64).flatMap(({ raw }) => {
    const message = parseSip(raw);
    return isParseFault(message) ? [] : [message];
  });
  const patched = nanoseconds(50_000, (n) => findPatches(parsed[n % parsed.length]!));

  const agents = [
    'Yealink SIP-T46U 108.86.0.20',
    'Linphone-Desktop/5.2.4 (debian) liblinphone/5.3.47',
    'Asterisk PBX 18.24.3',
  ];
  const timed = (count: number): { readonly automaton: number; readonly loop: number } => {
    const patterns = [...SCANNER_AGENTS, ...inventedAgents(600)].slice(0, count);
    const match = compileAgents(patterns);
    const lower = patterns.map(({ pattern }) => pattern.toLowerCase());
    return {
      automaton: nanoseconds(100_000, (n) => match(agents[n % agents.length]!)),
      loop: nanoseconds(5_000, (n) => {
        const agent = agents[n % agents.length]!.toLowerCase();
        return lower.find((pattern) => agent.includes(pattern));
      }),
    };
  };
  const few = timed(60);
  const many = timed(600);
  const growth = many.automaton / few.automaton;

  const small = networks(100);
  const large = networks(100_000);
  const ips = Array.from({ length: 1_024 }, (_, n) => addressOf(n * 13 + 5));
  const inSmall = nanoseconds(100_000, (n) => small.match(ips[n & 1_023]!));
  const inLarge = nanoseconds(100_000, (n) => large.match(ips[n & 1_023]!));

  return [
    row('reading one SIP message', read, `decoding it and splitting its lines: ${round(text / 1_000, 1)} µs`, text),
    row('shape id of one message', shape, `reading it: ${round(read / 1_000, 1)} µs`, read, {
      aim: '≤ 1 µs',
      met: shape <= 1_000,
    }),
    row(`a phone’s message against ${shippedPack().entries.length} tools`, tool, 'none of them matches', shape),
    row(`a phone’s message against ${PATCHES.length} virtual patches`, patched, 'none of them fits', read, {
      aim: '≤ 1 µs',
      met: patched <= 1_000,
    }),
    row(
      'User-Agent against 600 patterns',
      many.automaton,
      `60 patterns ${round(few.automaton, 0)} ns (${round(growth)}×); one after the other ${round(few.loop, 0)} and ${round(many.loop, 0)} ns`,
      few.automaton,
      { aim: '≤ 1.5× of 60', met: growth <= 1.5 },
    ),
    row(
      'address in 100,000 networks of 7 lengths',
      inLarge,
      `in 100 networks ${round(inSmall, 0)} ns (${round(inLarge / inSmall)}×)`,
      inSmall,
    ),
  ].map((line) => ({ ...line, figures: { ...line.figures, calls: seen } }));
};
