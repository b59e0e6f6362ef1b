/** Every rule that a detector may name in a finding; a test holds the detectors to it. Operators can weigh or silence each. */
export const RULES = [
  'scanner.user-agent',
  'scanner.fingerprint',
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
] as const;
