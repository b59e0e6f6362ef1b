import { PATCHES } from '../catalogue/index.ts';
import { BEHIND_SERVER } from '../patch.ts';
import type { Patch } from '../patch.ts';
import { stateOfPatch } from '../state.ts';
import type { PatchState } from '../state.ts';
import { versionsText } from '../versions.ts';
import { HEAD, quoted } from './regex.ts';
import { scriptOf } from './script.ts';
import type { Script } from './script.ts';

/** `CVE_2018_8828`, as in `COMPANION_PATCH_CVE_2018_8828`. */
export const patchSymbol = (patch: Patch): string => patch.id.toUpperCase().replace(/[^A-Z0-9]/g, '_');

const counterOf = (patch: Patch): string => `patch_${patchSymbol(patch).toLowerCase()}`;

const indented = (lines: readonly string[]): readonly string[] => lines.map((line) => `\t${line}`);

/** A patch that the file holds, and what is to be said of it. */
interface Section {
  readonly patch: Patch;
  readonly script: Script;
  readonly state: PatchState;
}

const sectionOf = (patch: Patch, version: string | undefined): readonly Section[] => {
  const script = patch.acts.includes('pre-parse') ? scriptOf(patch.condition) : undefined;
  if (script === undefined) return [];
  const state = stateOfPatch(patch, { product: 'kamailio', version: version ?? '' });
  const behind = patch.products.some(({ product }) => product !== 'kamailio');
  return version === undefined || state.on || behind ? [{ patch, script, state }] : [];
};

/** Lines that define a symbol, unless the operator said no. */
const defining = ({ patch }: Section): readonly string[] => [
  `#!ifndef COMPANION_NO_PATCH_${patchSymbol(patch)}`,
  `#!trydef COMPANION_PATCH_${patchSymbol(patch)}`,
  '#!endif',
];

/** What is on by the version, and by the operator's word that some software is there; and whether anything is on. */
const switchesOf = (sections: readonly Section[]): readonly string[] => [
  ...sections.filter(({ state }) => state.on).flatMap(defining),
  ...BEHIND_SERVER.flatMap((product) => {
    const its = sections.filter(
      ({ patch }) => stateOfPatch(patch, undefined, 'auto', (name) => (name === product ? 'on' : 'auto')).on,
    );
    if (its.length === 0) return [];
    return [`#!ifdef COMPANION_BEHIND_${product.toUpperCase()}`, ...its.flatMap(defining), '#!endif'];
  }),
  ...sections.flatMap(({ patch }) => [
    `#!ifdef COMPANION_PATCH_${patchSymbol(patch)}`,
    '#!trydef COMPANION_PATCHES_ON',
    '#!endif',
  ]),
];

const textOf = ({ patch, script, state }: Section): readonly string[] => {
  const versions = patch.products.map(({ product, affected }) => `${product}: ${versionsText(affected)}`).join('; ');
  return [
    `\t# ${patch.id} (${patch.advisory}), ${versions}: ${patch.title}`,
    ...(state.on || patch.stopsLegal === undefined ? [] : [`\t# it also stops ${patch.stopsLegal}`]),
    `#!ifdef COMPANION_PATCH_${patchSymbol(patch)}`,
    // substitutions cannot be done on long headers
    ...(script.before.length > 0 ? ['\tif($var(cp_long) == 1) {', ...indented(DROP_LARGE), '\t}'] : []),
    ...indented(script.before),
    `\tif(${script.test}) {`,
    `\t\t$var(cp_x) = $shtinc(companion_meta=>c.${counterOf(patch)});`,
    '\t\tdrop;',
    '\t}',
    '#!endif',
  ];
};

/** Kamailio escapes no more at once: half of its 64 KB. */
const TESTED_BYTES = 32_767;

/** `re.subst` takes 8190 bytes at most, whatever pv_buffer_size says, and some substitutions add a few. */
const SUBSTITUTED_BYTES = 8_000;

const DROP_LARGE: readonly string[] = ['\t$var(cp_x) = $shtinc(companion_meta=>c.patch_too_large);', '\tdrop;'];

const COMPLETE = `=~ ${quoted(`${HEAD}\r?\n`)}`;
const FOLDED = `=~ ${quoted(`${HEAD}[ \t]`)}`;

const PREPARATION: readonly string[] = [
  `if($(rcv(buf){s.len}) > ${TESTED_BYTES}) $var(cp_h) = $(rcv(buf){s.substr,0,${TESTED_BYTES}}{s.escape.common});`,
  'else $var(cp_h) = $(rcv(buf){s.escape.common});',
  '$var(cp_long) = 0;',
  `if($(var(cp_h){s.len}) > ${SUBSTITUTED_BYTES}) {`,
  `\t$var(cp_v) = $(var(cp_h){s.substr,0,${SUBSTITUTED_BYTES}});`,
  `\tif($var(cp_v) ${COMPLETE}) $var(cp_h) = $var(cp_v);`,
  `\telse if(($var(cp_h) ${COMPLETE}) && !($var(cp_h) ${FOLDED})) $var(cp_long) = 1;`,
  '\telse {',
  ...indented(DROP_LARGE),
  '\t}',
  '}',
  'if($var(cp_long) == 0)',
  '\t$var(cp_h) = $(var(cp_h){re.subst,/([^[:cntrl:]]|[[:blank:]])[[:cntrl:]]?$[[:cntrl:]][[:blank:]]+/\\1 /g});',
];

/**
 * The patches that Kamailio can apply before its parser, as a file to include. Each is on where it is defined.
 * @param version of the server: what it needs is defined, and what protects sound versions only is left out; left out:
 * all, none defined
 */
export const kamailioPatches = (version?: string): string => {
  const sections = PATCHES.flatMap((patch) => sectionOf(patch, version));
  return [
    `# Virtual patches before the parser. Made by \`companion patches kamailio${version === undefined ? '' : ` --version ${version}`}\`: do not edit.`,
    '',
    '# A patch drops only what you define: COMPANION_PATCH_<ID> one of them, COMPANION_BEHIND_<SOFTWARE> those of software',
    '# behind this server. COMPANION_NO_PATCH_<ID> takes one out again.',
    ...switchesOf(sections),
    '',
    "# $mb is a message of Kamailio's own here: $rcv(buf) is the one that came. Matching would end at a NUL, which escaping",
    `# makes two characters; that cannot be done beyond ${TESTED_BYTES} bytes, and cutting ends at a NUL as well. Then headers are`,
    '# unfolded, and every test stops at the blank line: what a body says is no header, and it may be of any size.',
    `# Substitutions end at 8 KB. Escaped headers of more than ${SUBSTITUTED_BYTES} bytes are tested as they are; they are dropped, and`,
    '# counted as c.patch_too_large, when they have folded lines, do not end in what can be read, or when a patch that is on',
    '# needs a substitution: passing them would let anybody around the patches.',
    'route[COMPANION_EXPLOITS] {',
    '#!ifdef COMPANION_PATCHES_ON',
    ...indented(PREPARATION),
    ...sections.flatMap(textOf),
    '#!endif',
    '\treturn;',
    '}',
    '',
  ].join('\n');
};
