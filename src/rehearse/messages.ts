import type { CompanionConfig } from '../judging/index.ts';
import type { CapturedMessage } from '../protocol/index.ts';
import { createArrivals } from './arrivals.ts';
import { createReplay } from './replay.ts';
import type { SourceRow } from './replay.ts';
import { Servers } from './servers.ts';

/**
 * Judges messages that are already at hand, as a replay judges those of a capture.
 * @param servers addresses of the server; found out when there are none
 */
export const rehearseMessages = (
  messages: readonly CapturedMessage[],
  policy: CompanionConfig,
  servers: readonly string[],
): readonly SourceRow[] => {
  const sides = new Servers(servers);
  sides.survey(messages);
  const arrivals = createArrivals(sides, () => undefined);
  const replay = createReplay(policy, sides.addresses);
  for (const message of messages) {
    const arrival = arrivals(message);
    if (arrival !== undefined) replay.take(arrival);
  }
  return replay.rows();
};
