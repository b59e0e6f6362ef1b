import type { AgentPattern, AlarmRisk } from './scanner-agents.ts';

/** Bounds for configured patterns: keeps the automaton below some 60 MB, far above any list seen in the field. */
const MAX_PATTERNS = 5_000;
const MAX_PATTERN_CHARS = 64;

const RISK_ORDER: Readonly<Record<AlarmRisk, number>> = { low: 0, medium: 1, high: 2 };

const ASCII = 128;
const NONE = -1;

export interface AgentMatch {
  readonly pattern: string;
  readonly risk: AlarmRisk;
}

/** ASCII letters to lower case; everything above ASCII to 0, which no pattern contains. */
const foldCode = (code: number): number => (code >= ASCII ? 0 : code >= 0x41 && code <= 0x5a ? code + 0x20 : code);

const isWordChar = (code: number): boolean => {
  const folded = foldCode(code);
  return (folded >= 0x61 && folded <= 0x7a) || (folded >= 0x30 && folded <= 0x39);
};

const standsAlone = (text: string, start: number, end: number): boolean =>
  !(start > 0 && isWordChar(text.charCodeAt(start - 1))) && !(end < text.length && isWordChar(text.charCodeAt(end)));

const better = (candidate: AgentPattern, best: AgentPattern | undefined): boolean => {
  if (best === undefined) return true;
  const order = RISK_ORDER[candidate.risk] - RISK_ORDER[best.risk];
  return order < 0 || (order === 0 && candidate.pattern.length > best.pattern.length);
};

/** A pattern that can be matched: ASCII, not empty, not longer than MAX_PATTERN_CHARS. */
export const isUsablePattern = (pattern: string): boolean =>
  pattern.length <= MAX_PATTERN_CHARS && /^[ -~]+$/.test(pattern);

/**
 * Compiles the patterns into one Aho-Corasick automaton: a text is read once, whatever the number of patterns.
 * Unusable patterns are skipped (see isUsablePattern), as are those beyond MAX_PATTERNS.
 * @returns a matcher that gives the match with the lowest risk of a false alarm, the longest among equals, or null
 */
export const compileAgents = (patterns: readonly AgentPattern[]): ((text: string) => AgentMatch | null) => {
  const usable = patterns.filter(({ pattern }) => isUsablePattern(pattern)).slice(0, MAX_PATTERNS);
  const classOf = new Uint8Array(ASCII);
  let classes = 1;
  let states = 1;
  for (const { pattern } of usable) {
    states += pattern.length;
    for (let index = 0; index < pattern.length; index += 1) {
      const folded = foldCode(pattern.charCodeAt(index));
      if (classOf[folded] === 0) classOf[folded] = classes++;
    }
  }
  const classAt = (text: string, index: number): number => classOf[foldCode(text.charCodeAt(index))] ?? 0;

  // 1. The trie. NONE marks an absent edge until step 2 has filled it in.
  const next = new Int32Array(states * classes).fill(NONE);
  const found: AgentPattern[][] = [[]];
  let count = 1;
  for (const agent of usable) {
    let state = 0;
    for (let index = 0; index < agent.pattern.length; index += 1) {
      const edge = state * classes + classAt(agent.pattern, index);
      if (next[edge] === NONE) {
        next[edge] = count++;
        found.push([]);
      }
      state = next[edge] ?? 0;
    }
    found[state]?.push(agent);
  }

  // 2. Failure links, breadth first: absent edges lead where the longest proper suffix would lead.
  const fail = new Int32Array(count);
  const queue = [0];
  for (const state of queue) {
    for (let symbol = 0; symbol < classes; symbol += 1) {
      const edge = state * classes + symbol;
      const viaSuffix = state === 0 ? 0 : (next[(fail[state] ?? 0) * classes + symbol] ?? 0);
      const target = next[edge] ?? NONE;
      if (target === NONE) {
        next[edge] = viaSuffix;
      } else {
        fail[target] = viaSuffix;
        found[target] = [...(found[target] ?? []), ...(found[viaSuffix] ?? [])];
        queue.push(target);
      }
    }
  }

  // 3. What the loop below reads for every character, in as few bytes as possible.
  const symbolOf = Uint8Array.from({ length: 256 }, (_, code) => classOf[foldCode(code)] ?? 0);
  const edges = count <= 0xffff ? Uint16Array.from(next.subarray(0, count * classes)) : next;
  const ends = Uint8Array.from(found, (agents) => (agents.length > 0 ? 1 : 0));

  return (text) => {
    let best: AgentPattern | undefined;
    let state = 0;
    for (let index = 0; index < text.length; index += 1) {
      const code = text.charCodeAt(index);
      state = edges[state * classes + (code < 256 ? symbolOf[code]! : 0)]!;
      if (ends[state] === 0) continue;
      for (const agent of found[state]!) {
        const end = index + 1;
        if (agent.word === true && !standsAlone(text, end - agent.pattern.length, end)) continue;
        if (better(agent, best)) best = agent;
      }
    }
    return best === undefined ? null : { pattern: best.pattern, risk: best.risk };
  };
};

/** Blanks in a row, tabs and control characters: a name is read as a person would read it. */
const DISGUISED = /[\x00-\x1f\x7f]|  /;

const canonical = (text: string): string =>
  DISGUISED.test(text) ? text.replaceAll(/[\t\r\n ]+/g, ' ').replaceAll(/[\x00-\x1f\x7f]/g, '') : text;

/** The match in the canonical form of a User-Agent. */
export const matchCanonical = (value: string, match: (text: string) => AgentMatch | null): AgentMatch | null =>
  match(canonical(value));

/** Judges every User-Agent of a message: a second one must not hide the first, nor the other way round. */
export const matchAny = (values: readonly string[], match: (text: string) => AgentMatch | null): AgentMatch | null => {
  let best: AgentMatch | null = null;
  for (let index = 0; index < values.length; index += 1) {
    const found = match(values[index]!);
    if (found !== null && (best === null || RISK_ORDER[found.risk] < RISK_ORDER[best.risk])) best = found;
  }
  return best;
};
