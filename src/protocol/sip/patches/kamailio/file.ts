import { PATCHES } from '../catalogue/index.ts';
import type { Patch } from '../patch.ts';
import { stateOfPatch } from '../state.ts';
import { versionsText } from '../versions.ts';
import { scriptOf } from './script.ts';

/** `CVE_2018_8828`, as in `COMPANION_PATCH_CVE_2018_8828`. */
const symbolOf = (patch: Patch): string => patch.id.toUpperCase().replace(/[^A-Z0-9]/g, '_');

const counterOf = (patch: Patch): string => `patch_${symbolOf(patch).toLowerCase()}`;

const indented = (lines: readonly string[]): readonly string[] => lines.map((line) => `\t${line}`);

const sectionOf = (patch: Patch, version: string | undefined): readonly string[] => {
  const script = patch.acts.includes('pre-parse') ? scriptOf(patch.condition) : undefined;
  if (script === undefined) return [];
  const server = version === undefined ? undefined : ({ product: 'kamailio', version } as const);
  const { on, why } = stateOfPatch(patch, server);
  if (server !== undefined && !on) return [];
  const symbol = symbolOf(patch);
  const versions = patch.products.map(({ product, affected }) => `${product}: ${versionsText(affected)}`).join('; ');
  return [
    `\t# ${patch.id} (${patch.advisory}), ${versions}: ${patch.title}`,
    ...(on ? [] : [`\t# define it to switch it on: ${why}`]),
    on ? `#!ifndef COMPANION_NO_PATCH_${symbol}` : `#!ifdef COMPANION_PATCH_${symbol}`,
    ...indented(script.before),
    `\tif(${script.test}) {`,
    `\t\t$var(cp_x) = $shtinc(companion_meta=>c.${counterOf(patch)});`,
    '\t\tdrop;',
    '\t}',
    '#!endif',
  ];
};

/**
 * The patches that Kamailio can apply before its parser, as a file to include.
 * @param version of the server: only what protects it, and what stands behind it; left out: all, those that also stop
 * legal messages switched off
 */
export const kamailioPatches = (version?: string): string =>
  [
    `# Virtual patches before the parser. Made by \`companion patches kamailio${version === undefined ? '' : ` --version ${version}`}\`: do not edit.`,
    '',
    "# $mb is a message of Kamailio's own here: $rcv(buf) is the one that came. Matching would end at a NUL, which escaping",
    '# makes two characters; that cannot be done beyond 32767 bytes, so that larger messages are dropped. Then headers are',
    '# unfolded, and every test stops at the blank line: what a body says is no header.',
    'route[COMPANION_EXPLOITS] {',
    '\tif($(rcv(buf){s.len}) > 32767) {',
    '\t\t$var(cp_x) = $shtinc(companion_meta=>c.patch_too_large);',
    '\t\tdrop;',
    '\t}',
    '\t$var(cp_h) = $(rcv(buf){s.escape.common});',
    '\t$var(cp_h) = $(var(cp_h){re.subst,/([^[:cntrl:]]|[[:blank:]])[[:cntrl:]]?$[[:cntrl:]][[:blank:]]+/\\1 /g});',
    ...PATCHES.flatMap((patch) => sectionOf(patch, version)),
    '}',
    '',
  ].join('\n');
