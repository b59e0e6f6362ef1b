import { z } from 'zod';
import { ENOUGH_POINTS } from '../../model/index.ts';
import type { SipView } from '../../model/index.ts';
import { NO_FINDINGS, type DetectorKind } from '../base/detector.ts';
import { durationSetting } from '../base/duration-setting.ts';
import { isExempt, provedItself } from '../base/exempt.ts';
import { createOnce } from '../base/once.ts';

const points = z.int().min(0).max(ENOUGH_POINTS);

const configSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('switch the detector off'),
  sql_points: points.default(ENOUGH_POINTS).describe('SQL in a user part: no number and no name looks like it'),
  shell_points: points
    .default(ENOUGH_POINTS)
    .describe('a shell command, a template or a path in a user part or User-Agent'),
  markup_points: points.default(40).describe('script for the browser of whoever looks at logs'),
  repeat: durationSetting('10m').describe('script: a source is accused once in this time'),
  max_sources: z.int().min(1).max(1_000_000).default(20_000).describe('sources remembered'),
});

/** Looked at of each value; what follows is cut, so that no pattern costs more than a few microseconds. */
const MAX_CHARS = 256;

type Kind = 'sql' | 'shell' | 'markup';

interface Pattern {
  readonly kind: Kind;
  readonly what: string;
  readonly match: RegExp;
}

/**
 * In user parts, percent-decoded. A lone quote is a name (`o'brien`, `cote.d'or`): what betrays SQL is what stands behind
 * it. Every repetition is bounded.
 */
const IN_USERS: readonly Pattern[] = [
  {
    kind: 'sql',
    what: 'a quote and a condition',
    match: /['"][\s)+/*]{0,8}(?:or|and|\|\||&&)[\s('"+/*\d][^=<>'"]{0,32}(?:[=<>'"]|\blike\b)/i,
  },
  { kind: 'sql', what: 'a quote and a pattern', match: /['"][\s+]{1,8}like[\s+]{1,8}['"%\d]/i },
  { kind: 'sql', what: 'a quote and a comment', match: /['"][\s)+;]{0,8}(?:--|#|\/\*)/ },
  {
    kind: 'sql',
    what: 'a quote and a statement',
    match: /['"][\s)+]{0,8};[\s+]{0,8}(?:drop|insert|update|delete|select|exec|alter)\b/i,
  },
  { kind: 'sql', what: 'UNION SELECT', match: /\bunion[\s+/*]{1,8}(?:all[\s+/*]{1,8})?select\b/i },
  {
    kind: 'sql',
    what: 'a call that waits',
    match: /\b(?:pg_sleep|benchmark|waitfor[\s+]{1,4}delay|sleep)[\s+]{0,4}[('"]/i,
  },
  { kind: 'shell', what: 'a command substitution', match: /\$\(|`|\$\{/ },
  {
    kind: 'shell',
    what: 'a command',
    match:
      /[;|&][\s+]{0,8}(?:(?:wget|curl|bash|sh|nc|cat|rm|python3?|perl|ping|sleep)[\s+]{1,8}[^\s=;]|\/(?:usr\/)?s?bin\/)/i,
  },
  { kind: 'shell', what: 'a path that climbs', match: /(?:\.\.[/\\]){2}/ },
];

const ANYWHERE: readonly Pattern[] = [
  {
    kind: 'markup',
    what: 'a script',
    match: /<\s{0,4}(?:script|img|svg|iframe)\b|[<"'=]\s{0,4}javascript:|<[^>]{0,64}\bonerror\s{0,4}=/i,
  },
];

const IN_AGENTS: readonly Pattern[] = [
  { kind: 'shell', what: 'a template lookup', match: /\$\{[a-z:-]{1,16}:/i },
  { kind: 'shell', what: 'a command substitution', match: /\$\(|\(\)\s{0,4}\{\s{0,4}:/ },
];

const decodedOnce = (text: string): string =>
  text.includes('%')
    ? text.replaceAll(/%([\da-f]{2})/gi, (_, hex: string) => String.fromCharCode(Number.parseInt(hex, 16)))
    : text;

/** Both ends of what is long, so that padding hides nothing; percent-encoding of percent-encoding is resolved as well. */
const decoded = (text: string): string => {
  const cut = text.length > 2 * MAX_CHARS ? `${text.slice(0, MAX_CHARS)} ${text.slice(-MAX_CHARS)}` : text;
  return decodedOnce(decodedOnce(cut));
};

interface Sighting {
  readonly kind: Kind;
  readonly what: string;
  readonly where: string;
}

const seek = (patterns: readonly Pattern[], text: string, where: string): Sighting | undefined => {
  const found = patterns.find(({ match }) => match.test(text));
  return found === undefined ? undefined : { kind: found.kind, what: found.what, where };
};

/** What nearly every user part is: nothing of it can be part of any pattern. */
const PLAIN_USER = /^\+?[\w.*#~-]*$/;

/** Characters that each pattern for names and User-Agents needs. */
const TELLTALE = /[<$"'=]|\(\)/;

const inUser = (user: string, where: string): Sighting | undefined =>
  user === '' || PLAIN_USER.test(user)
    ? undefined
    : (seek(IN_USERS, decoded(user), where) ?? seek(ANYWHERE, decoded(user), where));

const inAgents = (agents: readonly string[]): Sighting | undefined => {
  for (const agent of agents) {
    if (!TELLTALE.test(agent)) continue;
    const found =
      seek(IN_AGENTS, agent.slice(0, MAX_CHARS), 'User-Agent') ??
      seek(ANYWHERE, agent.slice(0, MAX_CHARS), 'User-Agent');
    if (found !== undefined) return found;
  }
  return undefined;
};

const inDisplay = (display: string, where: string): Sighting | undefined =>
  display === '' || !TELLTALE.test(display) ? undefined : seek(ANYWHERE, display.slice(0, MAX_CHARS), where);

const sightingOf = ({ from, to, requestUser, authUser, userAgents }: SipView): Sighting | undefined =>
  inUser(from.user, 'From') ??
  // REGISTER, and most that ask about themselves
  (to.user === from.user ? undefined : inUser(to.user, 'To')) ??
  (requestUser === to.user ? undefined : inUser(requestUser, 'Request-URI')) ??
  inUser(authUser, 'credentials') ??
  inAgents(userAgents) ??
  inDisplay(from.display, 'the name in From') ??
  inDisplay(to.display, 'the name in To');

const RULE: Readonly<Record<Kind, string>> = {
  sql: 'injection.sql',
  shell: 'injection.shell',
  markup: 'injection.markup',
};

/** SQL, shell and script where a user, a name or a User-Agent should stand. All of it may be valid SIP. */
export const injection: DetectorKind<typeof configSchema> = {
  id: 'injection',
  configSchema,
  create(config) {
    const pointsOf = { sql: config.sql_points, shell: config.shell_points, markup: config.markup_points };
    const accused = createOnce(config.max_sources, config.repeat);
    return {
      id: 'injection',
      detect(event, facts) {
        if (event.kind !== 'request' || isExempt(facts) || provedItself(event)) return NO_FINDINGS;
        const sighting = sightingOf(event.sip);
        if (sighting === undefined || pointsOf[sighting.kind] === 0) return NO_FINDINGS;
        if (sighting.kind === 'markup' && !accused.due(event.source.identity, event.at)) return NO_FINDINGS;
        return [
          {
            rule: RULE[sighting.kind],
            family: 'tool',
            accused: { kind: 'source' },
            tier: event.tier,
            points: pointsOf[sighting.kind],
            evidence: `${sighting.what} in ${sighting.where}`,
          },
        ];
      },
      tables: () => ({ 'injection.accused': accused.stats }),
    };
  },
};
