import type { Override } from './layers.ts';

/** Variables of the environment that stand above the file, and which setting each is. */
const VARIABLES = {
  COMPANION_MODE: ['mode'],
  COMPANION_PROFILE: ['profile'],
  COMPANION_STATE_DIR: ['state_dir'],
  COMPANION_LOG_LEVEL: ['log', 'level'],
  COMPANION_HTTP_LISTEN: ['http', 'listen'],
  COMPANION_HTTP_TOKEN: ['http', 'token'],
  COMPANION_HOOK_LISTEN: ['hook', 'listen'],
  COMPANION_BAN_TIME: ['decide', 'ban_time'],
  COMPANION_QUARANTINE_TIME: ['decide', 'quarantine_time'],
  SIP_GUARDIAN_MAX_FAILURES: ['simple', 'max_failures'],
  SIP_GUARDIAN_FIND_TIME: ['simple', 'find_time'],
  SIP_GUARDIAN_BAN_TIME: ['simple', 'ban_time'],
} as const;

type Environment = Readonly<Record<string, string | undefined>>;

/** Whoever sets one of the names of SIP Guardian means its three settings. */
const asGuardian = (overrides: readonly Override[], env: Environment): readonly Override[] => {
  const first = overrides.find(({ name }) => name.startsWith('SIP_GUARDIAN_'));
  if (first === undefined || env['COMPANION_PROFILE'] !== undefined) return overrides;
  return [...overrides, { name: first.name, path: ['profile'], value: 'simple' }];
};

/** All others are text: `SIP_GUARDIAN_BAN_TIME=3600` has no unit, and is told so. */
const NUMBERS: ReadonlySet<string> = new Set(['SIP_GUARDIAN_MAX_FAILURES']);

/** What the environment says; an empty variable says nothing. */
export const overridesOf = (env: Environment): readonly Override[] => {
  const overrides = Object.entries(VARIABLES).flatMap(([name, path]): Override[] => {
    const text = env[name]?.trim() ?? '';
    if (text === '') return [];
    return [{ name, path, value: NUMBERS.has(name) && /^\d{1,9}$/.test(text) ? Number(text) : text }];
  });
  return asGuardian(overrides, env);
};
