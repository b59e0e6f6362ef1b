import type { Clock, DecisionEvent } from '../model/index.ts';
import { decisionLine } from './log.ts';
import type { Log } from './log.ts';
import { createSampler } from './sampler.ts';

/** Lines that one source gets in a minute; bans and what operators do are always said. */
const LINES_A_MINUTE = 10;
/** The same for frames that were not taken, by reason. */
const DROPS_A_MINUTE = 1;
const FLUSH_MS = 5_000;

/** Reasons of drops that an operator must hear of; the others are ordinary under load and counted in the metrics. */
const WORTH_A_WARNING: ReadonlySet<string> = new Set(['secret', 'unknown-node', 'version', 'wrong-socket']);

export interface DecisionLog {
  decision(event: DecisionEvent): void;
  /** A frame on the hook was not taken. */
  drop(reason: string): void;
  stop(): void;
}

const always = (event: DecisionEvent): boolean => event.change === 'ban' || event.ip === '';

/** The line that each decision gets; what makes customers is only worth one when every step is. */
export const createDecisionLog = (log: Log, clock: Clock): DecisionLog => {
  const sources = createSampler(clock, LINES_A_MINUTE, (src, suppressed) => {
    log.info({ event: 'suppressed', src, suppressed }, 'more decisions about one source than are logged in a minute');
  });
  const drops = createSampler(clock, DROPS_A_MINUTE, (reason, suppressed) => {
    log.warn({ event: 'suppressed', reason, suppressed }, 'more such frames than are logged in a minute');
  });
  /** Of long imports, by what they change. */
  const bulk = new Map<DecisionEvent['change'], number>();
  const tellBulk = (): void => {
    for (const [change, entries] of bulk)
      log.info({ event: 'imported', change, entries }, 'entries of an import, not logged one by one');
    bulk.clear();
  };
  const timer = setInterval(() => {
    tellBulk();
    sources.flush();
    drops.flush();
  }, FLUSH_MS);
  timer.unref();
  return {
    decision(event) {
      if (event.bulk === true) {
        bulk.set(event.change, (bulk.get(event.change) ?? 0) + 1);
        return;
      }
      const quiet = event.change === 'good' || event.reason.startsWith('good ');
      if (quiet || (!always(event) && !sources.due(event.ip))) log.debug(decisionLine(event));
      else log.info(decisionLine(event));
      if (event.change === 'false-alarm')
        log.warn(
          { event: 'false-alarm', src: event.subject, rules: event.rules },
          `a decision seems to have hit a customer (${event.reason}): 'companion why' tells on what evidence`,
        );
      if (!event.reason.endsWith('behind-a-proxy')) return;
      log.warn(
        { event: 'alarm', alarm: 'behind-a-proxy', src: event.subject },
        'one address carries a large share of all customers: is this server behind a load balancer or NAT that hides addresses?',
      );
    },
    drop(reason) {
      if (!WORTH_A_WARNING.has(reason)) log.debug({ event: 'frame-dropped', reason });
      else if (drops.due(reason)) log.warn({ event: 'frame-dropped', reason }, 'a frame on the hook was not taken');
    },
    stop() {
      clearInterval(timer);
      tellBulk();
      sources.finish();
      drops.finish();
    },
  };
};
