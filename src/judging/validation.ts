import { z } from 'zod';
import { PrefixMap } from '../enrich/index.ts';
import { parseCidr } from '../model/index.ts';
import type { Cidr, Request, Validity } from '../model/index.ts';
import { createValidity, VALIDATION_RULES } from '../protocol/index.ts';

const MAX_EXCEPTIONS = 1_000;
const MAX_NETWORKS = 100;

const MODES = ['permissive', 'strict', 'paranoid'] as const;
const ACTIONS = ['off', 'log', 'count', 'reject', 'drop'] as const;

const network = z.string().transform((text, ctx): Cidr => {
  try {
    return parseCidr(text);
  } catch (error) {
    ctx.addIssue({ code: 'custom', message: error instanceof Error ? error.message : 'is no network' });
    return z.NEVER;
  }
});

const ruleName = z.string().refine((text) => VALIDATION_RULES.has(text), {
  error: "is no rule of the validator; 'companion explain rules' lists them",
});
const disabledRules = z.array(ruleName).max(VALIDATION_RULES.size);
const ruleActions = z.partialRecord(ruleName, z.enum(ACTIONS));

/** How strictly messages are held to the standard, for everybody and for some. */
export const validationSetting = z
  .strictObject({
    mode: z
      .enum(MODES)
      .default('permissive')
      .describe('permissive: refuse only what two readers read in two ways; strict: RFC 3261; paranoid: more'),
    disabled_rules: disabledRules.default([]).describe('rules that do not count'),
    rules: ruleActions.default({}).describe('own action of single rules: off, log, count, reject or drop'),
    exceptions: z
      .array(
        z.strictObject({
          from: z.array(network).min(1).max(MAX_NETWORKS).describe('whose messages'),
          mode: z.enum(MODES).optional(),
          disabled_rules: disabledRules.optional(),
          rules: ruleActions.optional(),
        }),
      )
      .max(MAX_EXCEPTIONS)
      .default([])
      .describe('networks whose messages are held to something else'),
  })
  .prefault({});

/** What the policy makes of a request; undefined where nobody looked at its message. */
export type ValidityOf = (request: Request) => Validity | undefined;

/** Compiles the setting: one policy for everybody, one for each exception, the longest network wins. */
export const createValidityOf = (setting: z.output<typeof validationSetting>): ValidityOf => {
  const everybody = createValidity(setting);
  const exceptions = new PrefixMap<typeof everybody>();
  for (const { from, ...own } of setting.exceptions) {
    const policy = createValidity({
      mode: own.mode ?? setting.mode,
      disabled_rules: own.disabled_rules ?? setting.disabled_rules,
      rules: { ...setting.rules, ...own.rules },
    });
    for (const cidr of from) exceptions.set(cidr, policy);
  }
  const none = setting.exceptions.length === 0;
  return ({ violations, source, sip }) => {
    if (violations === undefined) return undefined;
    const policy = none ? everybody : (exceptions.match(source.ip) ?? everybody);
    return policy(violations, { answerable: sip.method !== 'ACK' });
  };
};
