import { describe, expect, test } from 'vitest';
import { ATTACKS } from '../../bench/detection/attacks.ts';
import { CUSTOMERS } from '../../bench/detection/customers.ts';
import { replayed } from '../../bench/detection/scenario.ts';

/** The corpus takes seconds of a core; other tests run beside it. */
const PATIENCE_MS = 120_000;

describe('the same without companion, captured and replayed', () => {
  // the largest one is left to the benchmark
  const scenarios = [...CUSTOMERS, ...ATTACKS].filter(({ name }) => !name.startsWith('power cut'));

  test.each(scenarios.map((scenario) => [scenario.name, scenario] as const))(
    '%s',
    (name, scenario) => {
      const { flagged, customers } = replayed(scenario);
      // what floods without ever proving itself is held, whoever it is; nobody behind that address is harmed, see above
      expect(customers).toBe(name.startsWith('mad device') ? 1 : 0);
      expect(flagged > 0).toBe(ATTACKS.includes(scenario) && scenario.open === undefined);
    },
    PATIENCE_MS,
  );
});
