import { expect } from 'vitest';
import { family, figure, readMetrics } from './companion.ts';
import type { Testbed } from './testbed.ts';

/**
 * What must hold after whatever was done to a lab: the two programs are connected and agree, nothing was lost between
 * them, and the metrics show what Kamailio counted.
 * @param drops reasons of drops that the test has caused
 * @returns Kamailio's counters
 */
export const expectPlausible = async (
  bed: Testbed,
  drops: readonly string[] = [],
): Promise<Readonly<Record<string, number>>> => {
  const counters = await bed.counters();
  const metrics = await readMetrics(bed.lab);
  const dropped = family(metrics, 'companion_drops_total');
  figure('counters', counters);
  if (Object.keys(dropped).length > 0) figure('drops', dropped);
  expect(metrics.get('companion_node_up{node="kamailio"}')).toBe(1);
  expect(Object.keys(dropped).filter((reason) => !drops.includes(reason))).toEqual([]);
  expect(family(metrics, 'companion_hook_total')['lost'] ?? 0).toBe(0);
  expect(counters['bad_frame'] ?? 0).toBe(0);
  expect(counters['rpc_refused'] ?? 0).toBe(0);
  expect(counters['ask_lost'] ?? 0).toBe(0);
  expect(counters['ask_failed'] ?? 0).toBe(0);
  return counters;
};

/** An ask waits 400 ms: where a busy machine stood still for longer, some went unanswered; never many. */
export const expectAnswered = ({ ask = 0, ask_timeout: late = 0 }: Readonly<Record<string, number>>): void => {
  expect(late).toBeLessThanOrEqual(0.1 * ask);
};
