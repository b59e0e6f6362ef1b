import type { Answer, Figures, Outcome, Request, Verdict } from '../../model/index.ts';

/** Methods with a count of their own (RFC 3261, 3262, 3265, 3311, 3428, 3515, 3903, 6086); what else is sent is OTHER. */
const METHODS: ReadonlySet<string> = new Set(
  'REGISTER INVITE ACK BYE CANCEL OPTIONS SUBSCRIBE NOTIFY PUBLISH MESSAGE INFO REFER UPDATE PRACK'.split(' '),
);

const SIZE_BOUNDS = [256, 512, 1_024, 2_048, 4_096, 8_192, 16_384] as const;

const methodOf = (text: string): string => (METHODS.has(text) ? text : 'OTHER');

type Counts = Record<string, number>;

const add = (counts: Counts, key: string): void => {
  counts[key] = (counts[key] ?? 0) + 1;
};

/** Counts what is judged, for metrics and `stats`. A few additions an event; every key is ours or clamped. */
export interface Tally {
  /** @param answer what the server was told; undefined where it did not ask */
  see(event: Request | Outcome, verdict: Verdict, answer?: Answer): void;
  figures(): Figures;
}

export const createTally = (): Tally => {
  const [methods, answers, rules, limited, blocked]: [Counts, Counts, Counts, Counts, Counts] = [{}, {}, {}, {}, {}];
  const sizes = SIZE_BOUNDS.map(() => 0);
  const violations: Counts = {};
  let [valid, invalid] = [0, 0];
  let [requests, parseErrors, bytes] = [0, 0, 0];
  return {
    see(event, verdict, answer) {
      if (event.kind === 'request') {
        const method = methodOf(event.sip.method);
        requests += 1;
        bytes += event.sizeBytes;
        const bucket = SIZE_BOUNDS.findIndex((bound) => event.sizeBytes <= bound);
        if (bucket >= 0) sizes[bucket]! += 1;
        add(methods, method);
        if (verdict.findings.some(({ family }) => family === 'flood') || verdict.state === 'throttled')
          add(limited, method);
        if (event.violations?.length === 0) valid += 1;
        else if (event.violations !== undefined) invalid += 1;
        for (const { rule } of event.violations ?? []) add(violations, rule);
        if (answer !== undefined) add(answers, answer);
        if (answer === 'drop' || answer === 'challenge') add(blocked, verdict.state);
      } else if (event.type === 'parse-error') parseErrors += 1;
      for (const { rule } of verdict.findings) add(rules, rule);
    },
    figures() {
      let upTo = 0;
      return {
        requests,
        methods: { ...methods },
        answers: { ...answers },
        rules: { ...rules },
        limited: { ...limited },
        blocked: { ...blocked },
        parseErrors,
        validated: { valid, invalid, violations: { ...violations } },
        sizes: {
          upTo: SIZE_BOUNDS.map((bound, index) => [bound, (upTo += sizes[index] ?? 0)] as const),
          sum: bytes,
          count: requests,
        },
      };
    },
  };
};
