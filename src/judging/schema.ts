import type { z } from 'zod';
import { configSchema } from '../config/index.ts';
import { decideSchema } from '../decide/index.ts';
import { RULES, detectSchema } from '../detect/index.ts';
import { packsSetting } from './packs.ts';
import { patchesSetting } from './patches.ts';
import { validationSetting } from './validation.ts';

/** Rules, and the families that their names begin with. */
const BANNING: ReadonlySet<string> = new Set(RULES.flatMap((rule) => [rule, rule.split('.', 1)[0] ?? '']));

/** The configuration with the settings of every room; also for commands that only look at the file. */
export const companionSchema = configSchema({ decide: decideSchema, detect: detectSchema, rules: RULES })
  .safeExtend({
    packs: packsSetting,
    patches: patchesSetting,
    validation: validationSetting,
  })
  .superRefine(({ decide }, ctx) => {
    for (const name of Object.keys(decide.ban_times))
      if (!BANNING.has(name))
        ctx.addIssue({
          code: 'custom',
          path: ['decide', 'ban_times', name],
          message: 'is neither a rule nor the part of one before its dot',
        });
  });

export type CompanionConfig = z.output<typeof companionSchema>;
