import type { DecisionEvent } from '../model/index.ts';
import { decisionLine } from './log.ts';
import type { Log } from './log.ts';

/** The line that each decision gets; what makes customers is only worth one when every step is. */
export const createDecisionLog =
  (log: Log): ((event: DecisionEvent) => void) =>
  (event) => {
    if (event.change === 'good' || event.reason.startsWith('good ')) log.debug(decisionLine(event));
    else log.info(decisionLine(event));
    if (event.reason.endsWith('behind-a-proxy')) {
      log.warn(
        { event: 'alarm', alarm: 'behind-a-proxy', src: event.subject },
        'one address carries a large share of all customers: is this server behind a load balancer or NAT that hides addresses?',
      );
    }
  };
