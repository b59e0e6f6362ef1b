import { z } from 'zod';
import { ENOUGH_POINTS, type Request } from '../../model/index.ts';
import { NO_FINDINGS, type DetectorKind } from '../base/detector.ts';
import { canonicalUser } from '../base/canonical-user.ts';
import { isCustomer, isExempt } from '../base/exempt.ts';

/** Shorter ones are extensions, and have to be dialled as they stand. */
const MIN_SUFFIX_DIGITS = 7;

const MAX_TRAPS = 10_000;

const configSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('switch the detector off; without users and numbers it does nothing'),
  users: z
    .array(z.string().min(1).max(64))
    .max(MAX_TRAPS)
    .default([])
    .describe('users and extensions that nobody has, and nobody will be given'),
  numbers: z
    .array(z.string().regex(/^\+?\d{3,20}$/, 'a number: digits, maybe a + before them'))
    .max(MAX_TRAPS)
    .default([])
    .describe('numbers that nobody has; from seven digits on with any dial prefix before them'),
});

const MAX_DIALLED_CHARS = 64;

/** Digits of what was dialled: without what follows the number, and without what stands there for the eye only. */
const digitsOf = (dialled: string): string =>
  dialled
    .slice(0, MAX_DIALLED_CHARS)
    .replace(/[;?@].*$/s, '')
    .replaceAll(/[-+.()\s]/g, '');

/** Looks numbers up by their end: whoever hunts for a way out puts dial prefixes before them. */
const createNumbers = (numbers: readonly string[]): ((dialled: string) => string | undefined) => {
  const exact = new Set<string>();
  const byEnd = new Map<string, string[]>();
  for (const number of numbers.map((text) => text.replace('+', ''))) {
    exact.add(number);
    if (number.length < MIN_SUFFIX_DIGITS) continue;
    const end = number.slice(-MIN_SUFFIX_DIGITS);
    byEnd.set(end, [...(byEnd.get(end) ?? []), number]);
  }
  return (dialled) => {
    const digits = digitsOf(dialled);
    if (exact.has(digits)) return digits;
    return byEnd.get(digits.slice(-MIN_SUFFIX_DIGITS))?.find((number) => digits.endsWith(number));
  };
};

/**
 * Traps: users and numbers that were never given to anybody, so that nobody who asks for one got it from its owner. One
 * hit is enough: proven, it bans at once; over UDP without proof, where anybody could have sent it, it quarantines.
 * Somebody who has just answered a challenge and dials a trap may be a customer with a wrong number: what becomes of the
 * answer tells. Without a list there is no trap.
 */
export const honey: DetectorKind<typeof configSchema> = {
  id: 'honey',
  configSchema,
  create(config) {
    const users = new Set(config.users.map((user) => user.toLowerCase()));
    const numberOf = createNumbers(config.numbers);
    const isTrap = (user: string): boolean => user !== '' && users.has(canonicalUser(user).toLowerCase());

    /** The trap that it claims to be, or wants to register. */
    const claimedBy = ({ sip }: Request): string | undefined =>
      [sip.from.user, sip.authUser, sip.method === 'REGISTER' ? sip.to.user : ''].find(isTrap);

    /** The trap that it wants to reach. */
    const wantedBy = ({ sip, credentials }: Request): string | undefined => {
      if (sip.method === 'REGISTER' || sip.requestUser === '' || credentials === 'bound') return undefined;
      return isTrap(sip.requestUser) ? sip.requestUser : undefined;
    };

    const dialledBy = ({ sip, credentials }: Request): string | undefined =>
      sip.method === 'REGISTER' || sip.requestUser === '' || credentials === 'bound'
        ? undefined
        : numberOf(canonicalUser(sip.requestUser));

    const idle = users.size === 0 && config.numbers.length === 0;
    return {
      id: 'honey',
      detect(event, facts) {
        if (idle || event.kind !== 'request' || isExempt(facts) || isCustomer(event)) return NO_FINDINGS;
        const user = users.size === 0 ? undefined : (claimedBy(event) ?? wantedBy(event));
        const trap = user ?? dialledBy(event);
        if (trap === undefined) return NO_FINDINGS;
        return [
          {
            rule: user === undefined ? 'honey.number' : 'honey.user',
            family: 'scan',
            accused: { kind: 'source' },
            tier: event.tier,
            points: ENOUGH_POINTS,
            evidence: `asked for '${trap.slice(0, MAX_DIALLED_CHARS)}', which nobody was ever given`,
          },
        ];
      },
      tables: () => ({}),
    };
  },
};
