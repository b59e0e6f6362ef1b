import { until } from './companion.ts';
import { requestText } from './sip-text.ts';
import type { Testbed } from './testbed.ts';
import { openUdp } from './udp-client.ts';

/** Requests that went on without a verdict: nobody answered in time, or it was not asked. For machines that stand still. */
export const unasked = async ({ door }: Pick<Testbed, 'door'>): Promise<number> =>
  (await door.counter('ask_timeout')) + (await door.counter('unasked')) + (await door.counter('unchecked'));

/**
 * Waits until a restarted Kamailio has heard its companion, which is asked about a stranger then. Phones that register
 * earlier are unknown to companion, and their known-good keys go with its first comparison.
 */
export const untilAsked = async (bed: Testbed, stranger: string): Promise<void> => {
  await until(
    'companion is asked',
    async () => {
      const client = await openUdp(stranger, bed.server);
      const aor = `sip:nobody@${bed.domain}`;
      const parts = { method: 'REGISTER', uri: `sip:${bed.domain}`, from: aor, to: aor, local: client.local };
      await client.ask(requestText(parts));
      client.close();
      return (await bed.door.counter('ask')) > 0;
    },
    15_000,
    100,
  );
};
