import { Counter, Gauge, Registry } from 'prom-client';

/** Where the numbers come from: other rooms count, this one reads when it is scraped. */
export interface MetricSources {
  /** Running totals: requests, outcomes, verdicts by answer, drops by reason, table evictions … */
  readonly totals: () => Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Sizes as they stand: ledger entries by kind, tracked sources, queue lengths … */
  readonly sizes: () => Readonly<Record<string, Readonly<Record<string, number>>>>;
  /** Per server: up, drift, and the counters that it keeps itself. */
  readonly nodes: () => Readonly<
    Record<string, { readonly up: number; readonly drift: number; readonly counters: Readonly<Record<string, number>> }>
  >;
}

export interface Metrics {
  /** The text exposition. */
  render(): Promise<string>;
}

const HELP: Readonly<Record<string, string>> = {
  events: 'Requests and outcomes received from SIP servers, by kind.',
  verdicts: 'Answers given to asks, by answer.',
  requests: 'Requests by method; methods that SIP does not know count as OTHER.',
  findings: 'Findings of detectors, by rule.',
  violations: 'Broken rules of the standard in messages that were asked about, by rule.',
  limited: 'Requests over a limit, by method.',
  blocked: 'Asks answered with drop or challenge, by the state that caused it.',
  countries: "Strangers' requests dropped for their country, by country.",
  http: 'Requests to the HTTP door and what became of them.',
  control: 'Connections and requests of the control socket.',
  security_log: 'Lines for fail2ban that were not written.',
  changes: 'Decisions that changed something, by kind.',
  drops: 'Frames and messages that were not taken, by reason.',
  evictions: 'Entries pushed out of bounded tables, by table.',
  spared: 'Bans that became quarantine because customers would have been hit, by reason.',
  store: 'Evidence and audit lines not written, and failures, by kind.',
  hook: 'Asks, tells, late asks and lost tells on the hook.',
  ledger: 'Entries that should be enforced, by kind.',
  tables: 'Entries in bounded tables, by table.',
};

/** Counters that one server may show: it names them itself. */
const MAX_NODE_COUNTERS = 200;

/** Metric names are ours; a label value that is not is clamped. */
const MAX_LABEL_CHARS = 48;
const label = (text: string): string => text.replaceAll(/[^A-Za-z0-9_.:-]/g, '_').slice(0, MAX_LABEL_CHARS);

/** Own names, prefixed `companion_`, one label each; read at the moment of the scrape, nothing is counted twice. */
export const createMetrics = (sources: MetricSources): Metrics => {
  const registry = new Registry();
  const counters = new Map<string, Counter<string>>();
  const gauges = new Map<string, Gauge<string>>();
  const up = new Gauge({
    name: 'companion_node_up',
    help: '1 when the SIP server answers heartbeats and RPC.',
    labelNames: ['node'],
    registers: [registry],
  });
  const drift = new Gauge({
    name: 'companion_node_drift',
    help: 'Entries found missing or stray in the last reconciliation.',
    labelNames: ['node'],
    registers: [registry],
  });
  const nodeCounters = new Gauge({
    name: 'companion_node_counter',
    help: 'Counters that the SIP server keeps: drops and challenges by reason, asks, tells.',
    labelNames: ['node', 'counter'],
    registers: [registry],
  });

  const counterOf = (group: string): Counter<string> => {
    let counter = counters.get(group);
    if (counter === undefined) {
      counter = new Counter({
        name: `companion_${group}_total`,
        help: HELP[group] ?? group,
        labelNames: ['kind'],
        registers: [registry],
      });
      counters.set(group, counter);
    }
    return counter;
  };
  const gaugeOf = (group: string): Gauge<string> => {
    let gauge = gauges.get(group);
    if (gauge === undefined) {
      gauge = new Gauge({
        name: `companion_${group}`,
        help: HELP[group] ?? group,
        labelNames: ['kind'],
        registers: [registry],
      });
      gauges.set(group, gauge);
    }
    return gauge;
  };

  const render = async (): Promise<string> => {
    for (const [group, values] of Object.entries(sources.totals())) {
      const counter = counterOf(group);
      counter.reset();
      for (const [kind, value] of Object.entries(values)) counter.inc({ kind: label(kind) }, value);
    }
    for (const [group, values] of Object.entries(sources.sizes())) {
      const gauge = gaugeOf(group);
      gauge.reset();
      for (const [kind, value] of Object.entries(values)) gauge.set({ kind: label(kind) }, value);
    }
    for (const [node, state] of Object.entries(sources.nodes())) {
      up.set({ node: label(node) }, state.up);
      drift.set({ node: label(node) }, state.drift);
      for (const [counter, value] of Object.entries(state.counters).slice(0, MAX_NODE_COUNTERS))
        nodeCounters.set({ node: label(node), counter: label(counter) }, value);
    }
    return registry.metrics();
  };
  // whoever scrapes meanwhile gets the same text: ten scrapers cost as much as one
  let running: Promise<string> | undefined;
  return {
    render: () =>
      (running ??= render().finally(() => {
        running = undefined;
      })),
  };
};
