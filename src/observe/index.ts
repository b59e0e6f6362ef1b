/**
 * What the outside may see: log lines, metrics, the live feed. In: decisions and counters that other rooms hold.
 * Subscribers of the verdict stream, never called from the core. No address, user or number becomes a label; whatever
 * an attacker wrote is escaped and stands last.
 */
export { createDecisionLog } from './decision-log.ts';
export { createLiveFeed, type LiveFeed } from './live-feed.ts';
export { createLog, decisionLine, judgedLine, type Log } from './log.ts';
export { openSecurityLog, type SecurityLog } from './fail2ban/security-log.ts';
export { createExposition } from './metrics/exposition.ts';
export { createMetrics, type Metrics, type MetricSources } from './metrics/metrics.ts';
export { createTally, type Tally } from './metrics/tally.ts';
