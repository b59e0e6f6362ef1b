import type { z } from 'zod';
import { configSchema } from '../config/index.ts';
import { decideSchema } from '../decide/index.ts';
import { RULES, detectSchema } from '../detect/index.ts';
import { packsSetting } from './packs.ts';
import { patchesSetting } from './patches.ts';
import { validationSetting } from './validation.ts';

/** The configuration with the settings of every room; also for commands that only look at the file. */
export const companionSchema = configSchema({ decide: decideSchema, detect: detectSchema, rules: RULES }).safeExtend({
  packs: packsSetting,
  patches: patchesSetting,
  validation: validationSetting,
});

export type CompanionConfig = z.output<typeof companionSchema>;
