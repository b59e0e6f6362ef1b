import { companionSchema } from '../../../src/judging/index.ts';
import { createRehearsal } from '../../../src/rehearse/index.ts';
import { replayOf } from './capture.ts';
import type { Wiretap } from './capture.ts';
import { createPhone } from './phone.ts';
import type { Phone, PhoneOptions } from './phone.ts';
import { createRegistrar } from './server.ts';
import type { Registrar } from './server.ts';
import { createSimulation } from './simulation.ts';
import type { Simulation } from './simulation.ts';

/** What a scenario is made of. */
export interface World extends Simulation {
  readonly registrar: Registrar;
  /** A customer whose user exists. */
  phone(options: PhoneOptions): Phone;
  /** A customer that is no phone; told of each transaction that went wrong. */
  readonly harm: (customer: string, what: string) => void;
  readonly customers: Set<string>;
  readonly attackers: Set<string>;
}

export interface Scenario {
  readonly name: string;
  readonly minutes: number;
  /** What is in the configuration besides the defaults. */
  readonly config?: object;
  /** Nothing notices it yet, and why. */
  readonly open?: string;
  build(world: World): void;
}

/** One line of the table. */
export interface Result {
  readonly name: string;
  readonly attackers: number;
  readonly flagged: number;
  /** Messages that a flagged attacker had sent by then. */
  readonly median: number | null;
  readonly worst: number | null;
  readonly customers: number;
  readonly harmed: number;
  /** Addresses of customers that were quarantined or banned, and whether that hurt or not. */
  readonly held: number;
  /** The first few, in words. */
  readonly harms: readonly string[];
  readonly messages: number;
  readonly open: string | undefined;
  /** The same without companion, captured and replayed: attackers flagged, addresses of customers flagged. */
  readonly replayed?: { readonly flagged: number; readonly customers: number };
}

/** 2026-11-20 09:00 UTC: any time would do, but the same in every run. */
const START = Date.UTC(2_026, 10, 20, 9);
const SERVER = '192.0.2.10';
const SHOWN_HARMS = 3;

export const summarise = (
  name: string,
  attackers: readonly (number | null)[],
  rest: Pick<Result, 'customers' | 'harmed' | 'held' | 'harms' | 'messages' | 'open'>,
): Result => {
  const took = attackers.filter((count) => count !== null).toSorted((a, b) => a - b);
  const median = took[Math.floor(took.length / 2)] ?? null;
  return { name, attackers: attackers.length, flagged: took.length, median, worst: took.at(-1) ?? null, ...rest };
};

/** Every detector off: the server alone. */
const unprotected = (): object => ({
  detect: Object.fromEntries(Object.keys(companionSchema.parse({}).detect).map((name) => [name, { enabled: false }])),
});

/** Lets a scenario happen, in its own time. With a wiretap nobody protects the server. */
export const play = (scenario: Scenario, wiretap?: Wiretap): Result => {
  const simulation = createSimulation(START, 4_711);
  const rehearsal = createRehearsal(
    companionSchema.parse(wiretap === undefined ? (scenario.config ?? {}) : unprotected()),
    [SERVER],
  );
  const { ledger } = rehearsal.judging.judge;
  const flagged = new Map<string, number>();
  const registrar: Registrar = createRegistrar(
    simulation,
    rehearsal,
    (ip, identity) => {
      if (flagged.has(ip)) return;
      if (ledger.ban(identity) === undefined && ledger.quarantine(identity) === undefined) return;
      flagged.set(ip, registrar.received.get(ip) ?? 0);
    },
    wiretap,
  );
  const right = new Map<string, string>();
  const phones: Phone[] = [];
  const customers = new Set<string>();
  const harms = new Map<string, string>();
  const attackers = new Set<string>();
  const world: World = Object.assign(Object.create(simulation) as Simulation, {
    registrar: {
      ...registrar,
      password(user: string, password: string) {
        right.set(user, password);
        registrar.password(user, password);
      },
    },
    phone(options: PhoneOptions) {
      if (!right.has(options.user)) world.registrar.password(options.user, options.password);
      const phone = createPhone(simulation, registrar, options, (password) => right.get(options.user) === password);
      phones.push(phone);
      return phone;
    },
    harm: (customer: string, what: string) => void harms.set(customer, harms.get(customer) ?? what),
    customers,
    attackers,
  });
  scenario.build(world);
  simulation.run(START + scenario.minutes * 60_000);
  for (const [index, phone] of phones.entries()) {
    customers.add(`phone ${index} (${phone.user})`);
    if (phone.harm !== undefined) harms.set(`phone ${index} (${phone.user})`, phone.harm);
  }
  return summarise(
    scenario.name,
    [...attackers].map((ip) => flagged.get(ip) ?? null),
    {
      customers: customers.size,
      harmed: harms.size,
      held: [...flagged.keys()].filter((ip) => !attackers.has(ip)).length,
      harms: [...harms].slice(0, SHOWN_HARMS).map(([customer, what]) => `${customer}: ${what}`),
      messages: [...registrar.received.values()].reduce((sum, count) => sum + count, 0),
      open: scenario.open,
    },
  );
};

/** The same without companion, captured: what a replay of the capture says. */
export const replayed = (scenario: Scenario): NonNullable<Result['replayed']> => {
  const attackers = new Set<string>();
  const build = (world: World): void => {
    scenario.build(world);
    noted = world;
  };
  let noted: World | undefined;
  const rows = replayOf((wiretap) => void play({ ...scenario, build }, wiretap));
  for (const ip of noted?.attackers ?? []) attackers.add(ip);
  const flagged = rows.filter(({ flaggedAt }) => flaggedAt !== null);
  const guilty = flagged.filter(({ ip }) => attackers.has(ip)).length;
  return { flagged: guilty, customers: flagged.length - guilty };
};
