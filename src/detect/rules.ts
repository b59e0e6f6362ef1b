import { PATCH_RULES } from './message/known-exploit.ts';

/** Every rule that a detector may name in a finding; a test holds the detectors to it. Operators can weigh or silence each. */
export const RULES = [
  'scanner.user-agent',
  'scanner.fingerprint',
  'scanner.trick',
  'enumeration.sequence',
  'enumeration.distinct',
  'enumeration.rapid',
  'enumeration.prefixes',
  'digest.wrong-password',
  'digest.guessing',
  'digest.spraying',
  'digest.unknown-users',
  'digest.forged-nonce',
  'density.source',
  'density.prefix',
  'method-bucket',
  'garbage.not-sip',
  'garbage.malformed',
  'injection.sql',
  'injection.shell',
  'injection.markup',
  'validation.critical',
  'validation.high',
  'validation.medium',
  ...PATCH_RULES,
] as const;
