import { KNOWN_TO_KAMAILIO } from '../conditions/index.ts';
import type { Condition } from '../conditions/index.ts';
import {
  HEAD,
  lineOf,
  malformedDigest,
  namesOf,
  numberAbove,
  OPEN_QUOTE,
  quoted,
  START,
  twice,
  VALID_VIA,
} from './regex.ts';

/** Statements that must run before, and an expression that is true for a message that fits the condition. */
export interface Script {
  readonly before: readonly string[];
  readonly test: string;
}

const matches = (...regexes: readonly string[]): Script => ({
  before: [],
  test: regexes.map((regex) => `$var(cp_h) =~ ${quoted(regex)}`).join(' || '),
});

/** `$var(cp_v)` is `$var(cp_h)` after a substitution. */
const substituted = (pattern: string, by: string, flags: string): string =>
  `$var(cp_v) = $(var(cp_h){re.subst,@${pattern}@${by}@${flags}});`;

const B = '[[:blank:]]*';

/**
 * `$var(cp_n)` grows by the size of the second group in the first line that fits. Two bare quotes mark it on the way:
 * in the escaped text there are none.
 */
const addSize = (line: string): readonly string[] => [
  `$var(cp_v) = $(var(cp_h){re.subst,@^${line}.*$@""\\2""@i});`,
  'if($var(cp_v) =~ "\\"\\"") {',
  '\t$var(cp_v) = $(var(cp_v){re.subst,@^.*""([^"]*)"".*$@\\1@s});',
  '\t$var(cp_n) = $var(cp_n) + $(var(cp_v){s.len});',
  '}',
];

const WHOLE = '([^[:cntrl:]]*)';
const VALUE = '([^;,[:blank:][:cntrl:]]*)';

const together = (scripts: readonly Script[], operator: '&&' | '||'): Script => ({
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
      return together(scripts, condition.test === 'all' ? '&&' : '||');
    }
    case 'reply':
      return together(
        [
          matches(`${START}SIP/[0-9.]+[ \t]+(${condition.codes.join('|')})[ \t]`),
          matches(`${lineOf('cseq')}[0-9]+[ \t]+${condition.method}[ \t]*\r?\n`),
        ],
        '&&',
      );
    case 'repeated':
      return matches(twice(condition.header));
    case 'empty-tag':
      return matches(`${lineOf(condition.header)}[^\n]*;[ \t]*tag[ \t]*(=[ \t]*)?[;,\r\n]`);
    case 'breaks-grammar':
      if (condition.header !== 'via') return undefined;
      // what is left when the good ones are taken out
      return {
        before: [substituted(VALID_VIA, 'x', 'gi')],
        test: `$var(cp_v) =~ ${quoted(`${HEAD}(via|v)[ \t]*:`)}`,
      };
    case 'open-quote':
      return matches(`${lineOf(...condition.headers)}${OPEN_QUOTE}`);
    case 'blank-before-colon':
      // those that it knows, and compact forms, are not meant
      return {
        before: [substituted(`^([a-z]|${KNOWN_TO_KAMAILIO.join('|')})[[:blank:]]+:`, '\\1:', 'gi')],
        test: `$var(cp_v) =~ ${quoted(`${HEAD}[^: \t\r\n]+[ \t]+:`)}`,
      };
    case 'name-longer':
      return matches(`${HEAD}[^: \t\r\n]{${condition.bytes + 1}}`);
    case 'value-longer':
      return matches(`${lineOf(condition.header)}[^\r\n]{${condition.bytes + 1}}`);
    case 'number-above':
      return matches(`${lineOf(condition.header)}${numberAbove(condition.value)}`);
    case 'transaction-key-longer':
      return {
        before: [
          '$var(cp_n) = 0;',
          ...addSize(`${namesOf('call-id')}${B}:${B}${WHOLE}`),
          ...addSize(`${namesOf('cseq')}${B}:${B}${WHOLE}`),
          ...addSize(`${namesOf('from')}${B}:.*;${B}tag${B}=${B}${VALUE}`),
          ...addSize(`${namesOf('via')}${B}:[^,]*;${B}branch${B}=${B}${VALUE}`),
        ],
        test: `$var(cp_n) > ${condition.bytes}`,
      };
    case 'cseq-method-longer': {
      const longer = `${lineOf('cseq')}[0-9]+[ \t]+[^ \t\r\n]{${condition.bytes + 1}}`;
      // a request whose own method is as long may well be what its CSeq says
      return together([matches(`${START}[^ \t]{1,${condition.bytes}}[ \t]`), matches(longer)], '&&');
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
