/**
 * One file for each attack, all of equal shape, all named here. In: a request or outcome, and the facts about it. Out:
 * findings, each with points and its tier of proof. Time is the event's own; every table is bounded. Must never decide
 * what follows, never do I/O, never accuse the allow list or the SIP server itself.
 */
import { z } from 'zod';
import type { Facts, Finding, Outcome, Request } from '../model/index.ts';
import { density } from './rates/density.ts';
import type { Detector, TableStats } from './base/detector.ts';
import { distributedScan } from './campaign/distributed-scan.ts';
import { digestGuessing } from './digest/guessing.ts';
import { staleDevice } from './digest/stale-device.ts';
import { enumeration } from './enumeration/enumeration.ts';
import { garbage } from './message/garbage.ts';
import { honey } from './traps/honey.ts';
import { injection } from './message/injection.ts';
import { ipDomain } from './message/ip-domain.ts';
import { knownExploit } from './message/known-exploit.ts';
import { listedNumber } from './message/listed-number.ts';
import { malformed } from './message/malformed.ts';
import { methodBucket } from './rates/method-bucket.ts';
import { scannerAgent } from './scanner/agent.ts';
import { scannerFingerprint } from './scanner/fingerprint.ts';
import { scannerNeverAcks } from './scanner/never-acks.ts';
import { scannerSweep } from './scanner/sweep.ts';
import { scannerTrick } from './scanner/trick.ts';

/** Settings of all detectors; an empty object is the default of each. */
export const detectSchema = z.strictObject({
  scanner_agent: scannerAgent.configSchema.prefault({}),
  scanner_fingerprint: scannerFingerprint.configSchema.prefault({}),
  scanner_trick: scannerTrick.configSchema.prefault({}),
  scanner_never_acks: scannerNeverAcks.configSchema.prefault({}),
  scanner_sweep: scannerSweep.configSchema.prefault({}),
  enumeration: enumeration.configSchema.prefault({}),
  distributed_scan: distributedScan.configSchema.prefault({}),
  digest_guessing: digestGuessing.configSchema.prefault({}),
  stale_device: staleDevice.configSchema.prefault({}),
  honey: honey.configSchema.prefault({}),
  ip_domain: ipDomain.configSchema.prefault({}),
  density: density.configSchema.prefault({}),
  method_bucket: methodBucket.configSchema.prefault({}),
  garbage: garbage.configSchema.prefault({}),
  malformed: malformed.configSchema.prefault({}),
  known_exploit: knownExploit.configSchema.prefault({}),
  injection: injection.configSchema.prefault({}),
  listed_number: listedNumber.configSchema.prefault({}),
});

export type DetectConfig = z.output<typeof detectSchema>;

export interface Detectors {
  /** Runs every enabled detector, in the order of the list. */
  detect(event: Request | Outcome, facts: Facts): readonly Finding[];
  /** Sizes and evictions of all tables, by `detector.table`. */
  tables(): Readonly<Record<string, TableStats>>;
}

/** Builds all enabled detectors. */
export const createDetectors = (config: DetectConfig): Detectors => {
  const detectors: Detector[] = [];
  if (config.scanner_agent.enabled) detectors.push(scannerAgent.create(config.scanner_agent));
  if (config.scanner_fingerprint.enabled) detectors.push(scannerFingerprint.create(config.scanner_fingerprint));
  if (config.scanner_trick.enabled) detectors.push(scannerTrick.create(config.scanner_trick));
  if (config.scanner_never_acks.enabled) detectors.push(scannerNeverAcks.create(config.scanner_never_acks));
  if (config.scanner_sweep.enabled) detectors.push(scannerSweep.create(config.scanner_sweep));
  if (config.enumeration.enabled) detectors.push(enumeration.create(config.enumeration));
  if (config.distributed_scan.enabled) detectors.push(distributedScan.create(config.distributed_scan));
  if (config.digest_guessing.enabled) detectors.push(digestGuessing.create(config.digest_guessing));
  if (config.stale_device.enabled) detectors.push(staleDevice.create(config.stale_device));
  if (config.honey.enabled) detectors.push(honey.create(config.honey));
  if (config.ip_domain.enabled) detectors.push(ipDomain.create(config.ip_domain));
  if (config.density.enabled) detectors.push(density.create(config.density));
  if (config.method_bucket.enabled) detectors.push(methodBucket.create(config.method_bucket));
  if (config.garbage.enabled) detectors.push(garbage.create(config.garbage));
  if (config.injection.enabled) detectors.push(injection.create(config.injection));
  if (config.listed_number.enabled) detectors.push(listedNumber.create(config.listed_number));
  if (config.malformed.enabled) detectors.push(malformed.create(config.malformed));
  if (config.known_exploit.enabled) detectors.push(knownExploit.create(config.known_exploit));
  const [first] = detectors;
  // one alone needs no list: they run one by one where each can be swapped
  if (first !== undefined && detectors.length === 1) return first;
  return {
    detect: (event, facts) => {
      const findings: Finding[] = [];
      for (const detector of detectors) {
        const found = detector.detect(event, facts);
        if (found.length > 0) findings.push(...found);
      }
      return findings;
    },
    tables: () => Object.assign({}, ...detectors.map((detector) => detector.tables())) as Record<string, TableStats>,
  };
};

export { RULES } from './rules.ts';
export type { Detector, TableStats } from './base/detector.ts';
