import { z } from 'zod';
import { ENOUGH_POINTS, type EpochMs } from '../../model/index.ts';
import { NO_FINDINGS, type DetectorKind } from '../base/detector.ts';
import { durationSetting } from '../base/duration-setting.ts';
import { isExempt, provedItself } from '../base/exempt.ts';
import { bareHost, isLiteralHost } from '../base/literal-host.ts';
import { Memory } from '../base/memory.ts';

/** Servers of one source that are told apart; the oldest make room. */
const MAX_SERVERS = 32;

/** The longest IPv6 address; whatever is longer is none. */
const MAX_HOST_CHARS = 45;

const configSchema = z.strictObject({
  enabled: z.boolean().default(true).describe('switch the detector off'),
  servers: z
    .int()
    .min(3)
    .max(MAX_SERVERS)
    .default(6)
    .describe('servers, by address, at which a source wants to register within window, without a success at any'),
  window: durationSetting('10m'),
  max_sources: z.int().min(1).max(1_000_000).default(20_000).describe('sources remembered'),
});

/** Servers that one source tried since its last success, and when last; the longest untouched first. */
interface Sweep {
  readonly servers: Map<string, EpochMs>;
}

/**
 * Who goes from server to server and tries to register at each, by address: seen where one companion stands beside many
 * servers, and in captures of a whole network. A phone has one registrar, and perhaps a second; carriers, who do call
 * many of our addresses, register nowhere. Anybody can send it in another's name, so it never bans.
 */
export const scannerSweep: DetectorKind<typeof configSchema> = {
  id: 'scanner-sweep',
  configSchema,
  create(config) {
    const sources = new Memory<Sweep>(config.max_sources);
    return {
      id: 'scanner-sweep',
      detect(event, facts) {
        if (event.kind === 'outcome') {
          const isSuccess = event.type === 'registered' || (event.type === 'auth' && event.result === 'ok');
          if (isSuccess) sources.peek(event.source.identity)?.servers.clear();
          return NO_FINDINGS;
        }
        if (event.sip.method !== 'REGISTER' || isExempt(facts) || provedItself(event)) return NO_FINDINGS;
        const server = bareHost(event.sip.requestHost);
        if (server.length > MAX_HOST_CHARS || !isLiteralHost(server)) return NO_FINDINGS;
        const { servers } = sources.take(event.source.identity, () => ({ servers: new Map() }));
        servers.delete(server);
        servers.set(server, event.at);
        for (const [oldest, at] of servers) {
          if (servers.size <= MAX_SERVERS && at >= event.at - config.window) break;
          servers.delete(oldest);
        }
        if (servers.size < config.servers) return NO_FINDINGS;
        const evidence = `wanted to register at ${servers.size} servers within ${config.window / 60_000} min, the last ${server}, and succeeded at none`;
        servers.clear();
        return [
          {
            rule: 'scanner.sweep',
            family: 'scan',
            accused: { kind: 'source' },
            tier: 'spoofable',
            points: ENOUGH_POINTS,
            evidence,
          },
        ];
      },
      tables: () => ({ 'scanner-sweep.sources': sources.stats }),
    };
  },
};
