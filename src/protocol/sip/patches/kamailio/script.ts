import type { Condition } from '../conditions/index.ts';
import { KNOWN_TO_KAMAILIO } from '../conditions/index.ts';
import { lineOf, malformedDigest, numberAbove, OPEN_QUOTE, quoted, VALID_VIA } from './regex.ts';

/** Statements that must run before, and an expression that is true for a message that fits the condition. */
export interface Script {
  readonly before: readonly string[];
  readonly test: string;
}

const HEADERS = '$var(cp_h)';

const matches = (...regexes: readonly string[]): Script => ({
  before: [],
  test: regexes.map((regex) => `${HEADERS} =~ ${quoted(regex)}`).join(' || '),
});

/** The headers after a substitution; the pattern stands between two `#`. */
const substituted = (variable: string, pattern: string, by: string, flags: string): string =>
  `${variable} = ${quoted(`$(var(cp_h){re.subst,#${pattern}#${by}#${flags}})`)};`;

/** `$var(cp_n)` grows by the size of what the pattern's group holds in the first line that has it. */
const addSize = (line: string, group: number): readonly string[] => [
  `if(${HEADERS} =~ ${quoted(line)}) {`,
  `\t$var(cp_v) = ${quoted(`$(var(cp_h){re.subst,#${line}.*#\n\\${group}#is}{re.subst,#^.*\n##s})`)};`,
  '\t$var(cp_n) = $var(cp_n) + $(var(cp_v){s.len});',
  '}',
];

const VALUE = '([^;, \t\r\n]*)';

const both = (scripts: readonly Script[], operator: '&&' | '||'): Script => ({
  before: scripts.flatMap(({ before }) => before),
  test: scripts.map(({ test }) => `(${test})`).join(` ${operator} `),
});

/** @returns the condition in Kamailio's language, or undefined when that cannot say it before the parser */
export const scriptOf = (condition: Condition): Script | undefined => {
  switch (condition.test) {
    case 'all':
    case 'any': {
      const scripts = condition.of.map(scriptOf);
      if (!scripts.every((script) => script !== undefined)) return undefined;
      return both(scripts, condition.test === 'all' ? '&&' : '||');
    }
    case 'reply':
      return both(
        [
          matches(`^SIP/[0-9.]+[ \t]+(${condition.codes.join('|')})[ \t]`),
          matches(`\ncseq[ \t]*:[ \t]*[0-9]+[ \t]+${condition.method}[ \t]*\r?\n`),
        ],
        '&&',
      );
    case 'repeated':
      return matches(`${lineOf(condition.header)}.*${lineOf(condition.header)}`);
    case 'empty-tag':
      return matches(`${lineOf(condition.header)}[^\r\n]*;[ \t]*tag[ \t]*(=[ \t]*)?[;,\r\n]`);
    case 'breaks-grammar':
      if (condition.header !== 'via') return undefined;
      // what is left when the good ones are taken out
      return {
        before: [substituted('$var(cp_v)', VALID_VIA, '', 'gi')],
        test: `$var(cp_v) =~ ${quoted('\n(via|v)[ \t]*:')}`,
      };
    case 'open-quote':
      return matches(`${lineOf(...condition.headers)}${OPEN_QUOTE}`);
    case 'blank-before-colon':
      return {
        before: [
          // typed headers and compact forms are not meant
          substituted('$var(cp_v)', `^([a-z]|${KNOWN_TO_KAMAILIO.join('|')})[ \t]+:`, ':', 'gi'),
        ],
        test: `$var(cp_v) =~ ${quoted('\n[^: \t\r\n]+[ \t]+:')}`,
      };
    case 'name-longer':
      return matches(`\n[^: \t\r\n]{${condition.bytes + 1}}`);
    case 'value-longer':
      return matches(`${lineOf(condition.header)}[^\r\n]{${condition.bytes + 1}}`);
    case 'number-above':
      return matches(`${lineOf(condition.header)}${numberAbove(condition.value)}`);
    case 'transaction-key-longer':
      return {
        before: [
          '$var(cp_n) = 0;',
          ...addSize(`${lineOf('call-id')}([^\r\n]*)`, 2),
          ...addSize(`${lineOf('cseq')}([^\r\n]*)`, 2),
          ...addSize(`${lineOf('from')}[^\n]*;[ \t]*tag[ \t]*=[ \t]*${VALUE}`, 2),
          ...addSize(`${lineOf('via')}[^\n]*;[ \t]*branch[ \t]*=[ \t]*${VALUE}`, 2),
        ],
        test: `$var(cp_n) > ${condition.bytes}`,
      };
    case 'cseq-method-longer': {
      const longer = `\ncseq[ \t]*:[ \t]*[0-9]+[ \t]+[^ \t\r\n]{${condition.bytes + 1}}`;
      // a request whose own method is as long may well be what its CSeq says
      return both([matches(`^[^ \t]{1,${condition.bytes}}[ \t]`), matches(longer)], '&&');
    }
    case 'digest-malformed':
      return matches(...malformedDigest(condition.nameBytes));
    case 'method':
    case 'values-above':
    case 'claim-with-quotes':
    case 'shell-text':
    case 'multipart-malformed':
    case 'sdp-fmtp-malformed':
    case 'sdp-format-above':
    case 'sdp-media-longer':
    case 'sdp-address-longer':
      return undefined;
  }
};
