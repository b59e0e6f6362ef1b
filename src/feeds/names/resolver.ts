import { Resolver } from 'node:dns/promises';
import { canonicalIp } from '../../model/index.ts';

/** What a name leads to. Rejects with an Error whose message says in a few words what went wrong. */
export interface NameResolver {
  /** Canonical addresses, both families, and for how long they are good. */
  addresses(name: string): Promise<{ readonly ips: readonly string[]; readonly ttlMs: number }>;
  /** Names behind a service name (SRV). */
  services(name: string): Promise<readonly string[]>;
}

/** For one question to one server; twice, then the next server. */
const TIMEOUT_MS = 2_000;
const TRIES = 2;
const NOTHING: ReadonlySet<string> = new Set(['ENODATA', 'ENOTFOUND']);

const words: Readonly<Record<string, string>> = {
  ENODATA: 'it has no addresses',
  ENOTFOUND: 'there is no such name',
  ETIMEOUT: 'the name servers do not answer',
  ECONNREFUSED: 'the name servers do not answer',
  ESERVFAIL: 'the name servers failed',
};

const codeOf = (error: unknown): string => (error as { code?: string }).code ?? String(error);

const failure = (error: unknown): Error =>
  new Error(words[codeOf(error)] ?? `the name servers said ${codeOf(error).slice(0, 60)}`, { cause: error });

/** @param servers addresses of name servers; left out: those of the system */
export const createResolver = (servers?: readonly string[]): NameResolver => {
  const resolver = new Resolver({ timeout: TIMEOUT_MS, tries: TRIES });
  if (servers !== undefined) resolver.setServers(servers);
  return {
    async addresses(name) {
      const answers = await Promise.allSettled([
        resolver.resolve4(name, { ttl: true }),
        resolver.resolve6(name, { ttl: true }),
      ]);
      const records = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
      // half an answer would take away the addresses of the other family
      for (const answer of answers)
        if (answer.status === 'rejected' && (records.length === 0 || !NOTHING.has(codeOf(answer.reason))))
          throw failure(answer.reason);
      const ips = records.map(({ address }) => canonicalIp(address)).filter((ip) => ip !== undefined);
      return { ips, ttlMs: Math.min(...records.map(({ ttl }) => ttl)) * 1_000 };
    },
    async services(name) {
      try {
        return (await resolver.resolveSrv(name)).map((record) => record.name);
      } catch (error) {
        throw failure(error);
      }
    },
  };
};
