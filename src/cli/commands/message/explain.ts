import { CompanionError } from '../../../model/index.ts';
import { explainSanity, SANITY_BITS, SANITY_URI_BITS, VALIDATION_RULES } from '../../../protocol/index.ts';
import type { SanityBit, ValidationRule } from '../../../protocol/index.ts';
import { EXIT } from '../../exit-codes.ts';
import { printJson, printLines } from '../../output/print.ts';
import { paint } from '../../output/text.ts';

const MAX_BITS = 0x7fff_ffff;

const bitsOf = (text: string, what: string): number => {
  const bits = /^(?:\d{1,10}|0x[\da-f]{1,8})$/i.test(text) ? Number(text) : Number.NaN;
  if (bits <= MAX_BITS) return bits;
  throw new CompanionError(
    'REQUEST_INVALID',
    `Cannot explain ${what} '${text}': it is no number from 0 to ${MAX_BITS}. Give the numbers of sanity_check, e.g. 17895 7.`,
  );
};

const bitLine = ({ bit, text, rules, note }: SanityBit): string =>
  `  ${String(bit).padStart(6)}  ${text}: ${rules.join(', ')}${note === undefined ? '' : paint('dim', ` (${note})`)}`;

/** `companion explain sanity [CHECKS [URIS]]`. @throws CompanionError REQUEST_INVALID */
export const explainSanityBits = (
  checks: string | undefined,
  uris: string | undefined,
  options: { readonly json?: boolean },
): Promise<number> => {
  const all = SANITY_BITS.reduce((sum, { bit }) => sum + bit, 0);
  const allUris = SANITY_URI_BITS.reduce((sum, { bit }) => sum + bit, 0);
  const bits = checks === undefined ? all : bitsOf(checks, 'the checks');
  const explained = explainSanity(
    bits,
    uris === undefined ? (checks === undefined ? allUris : 7) : bitsOf(uris, 'the URIs'),
  );
  if (options.json) {
    printJson({ bits, ...explained });
    return Promise.resolve(EXIT.ok);
  }
  printLines([
    paint('bold', `${bits} = ${explained.checks.map(({ bit }) => bit).join(' + ') || '0'}`),
    ...explained.checks.map(bitLine),
    ...(explained.uris.length === 0 ? [] : [paint('bold', 'URIs (second number, for bit 1024)')]),
    ...explained.uris.map(bitLine),
    ...(explained.unknown === 0 ? [] : [`  unknown bits: ${explained.unknown}`]),
    ...(explained.unknownUris === 0 ? [] : [`  unknown bits of the URIs: ${explained.unknownUris}`]),
    paint('bold', 'the same with companion'),
    ...explained.rules.map(({ rule, severity }) => `  ${rule.padEnd(30)} ${severity}`),
  ]);
  return Promise.resolve(EXIT.ok);
};

const ruleLine = ({ name, severity, actions, text }: ValidationRule): string =>
  `${name.padEnd(30)} ${severity.padEnd(9)} ${actions.permissive.padEnd(7)} ${actions.strict.padEnd(7)} ${actions.paranoid.padEnd(7)} ${text}`;

/** `companion explain rules [NAME]`. @throws CompanionError REQUEST_INVALID for an unknown name */
export const explainRules = (name: string | undefined, options: { readonly json?: boolean }): Promise<number> => {
  const rules = [...VALIDATION_RULES.values()].filter((rule) => name === undefined || rule.name === name);
  if (rules.length === 0) {
    throw new CompanionError(
      'REQUEST_INVALID',
      `Cannot explain '${name ?? ''}': there is no such rule. Without a name all are listed.`,
    );
  }
  if (options.json) printJson(rules);
  else {
    const head = `${'rule'.padEnd(30)} ${'severity'.padEnd(9)} permiss. strict  paranoid`;
    printLines([paint('bold', head), ...rules.map(ruleLine)]);
  }
  return Promise.resolve(EXIT.ok);
};
