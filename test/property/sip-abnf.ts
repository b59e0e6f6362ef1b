/**
 * RFC 3261 25.1 a second time, as regular expressions written down from the RFC's text, to hold the scanners against.
 * IPv6 is RFC 5954's. Slow and without offsets, but independent: no class or rule is shared with the product. Comments
 * nest four deep. Rules that the product reads otherwise are named where they stand.
 */
const ALPHANUM = '[A-Za-z0-9]';
const ESCAPED = '%[0-9A-Fa-f]{2}';
const UNRESERVED = "[A-Za-z0-9\\-_.!~*'()]";
const LWS = '(?:(?:[ \\t]*\\r\\n)?[ \\t]+)';
const SWS = `${LWS}?`;
const TOKEN = "[A-Za-z0-9\\-.!%*_+`'~]+";
const WORD = '[A-Za-z0-9\\-.!%*_+`\'~()<>:\\\\"/\\[\\]?{}]+';
const around = (separator: string): string => `${SWS}${separator}${SWS}`;
const [COMMA, SEMI, EQUAL, SLASH, COLON] = [around(','), around(';'), around('='), around('/'), around(':')];
const listOf = (item: string): string => `${item}(?:${COMMA}${item})*`;

const CONT = '[\\x80-\\xBF]';
const UTF8 = `(?:[\\xC0-\\xDF]${CONT}|[\\xE0-\\xEF]${CONT}{2}|[\\xF0-\\xF7]${CONT}{3}|[\\xF8-\\xFB]${CONT}{4}|[\\xFC-\\xFD]${CONT}{5})`;
const QUOTED_PAIR = '\\\\[\\x00-\\x09\\x0B\\x0C\\x0E-\\x7F]';
const QUOTED = `"(?:[\\x21\\x23-\\x5B\\x5D-\\x7E \\t]|\\r\\n[ \\t]|${UTF8}|${QUOTED_PAIR})*"`;
const CTEXT = `(?:[\\x21-\\x27\\x2A-\\x5B\\x5D-\\x7E \\t]|\\r\\n[ \\t]|${UTF8}|${QUOTED_PAIR})`;
const nested = (depth: number): string =>
  depth === 0 ? `\\(${CTEXT}*\\)` : `\\((?:${CTEXT}|${nested(depth - 1)})*\\)`;
const COMMENT = nested(4);

const DOMAIN_LABEL = `${ALPHANUM}(?:[A-Za-z0-9-]*${ALPHANUM})?`;
const TOP_LABEL = `[A-Za-z](?:[A-Za-z0-9-]*${ALPHANUM})?`;
const HOSTNAME = `(?:${DOMAIN_LABEL}\\.)*${TOP_LABEL}\\.?`;
const IPV4 = '\\d{1,3}(?:\\.\\d{1,3}){3}';
const H16 = '[0-9A-Fa-f]{1,4}';
const LS32 = `(?:${H16}:${H16}|${IPV4})`;
const IPV6 = `(?:${[
  `(?:${H16}:){6}${LS32}`,
  `::(?:${H16}:){5}${LS32}`,
  `(?:${H16})?::(?:${H16}:){4}${LS32}`,
  `(?:(?:${H16}:){0,1}${H16})?::(?:${H16}:){3}${LS32}`,
  `(?:(?:${H16}:){0,2}${H16})?::(?:${H16}:){2}${LS32}`,
  `(?:(?:${H16}:){0,3}${H16})?::${H16}:${LS32}`,
  `(?:(?:${H16}:){0,4}${H16})?::${LS32}`,
  `(?:(?:${H16}:){0,5}${H16})?::${H16}`,
  `(?:(?:${H16}:){0,6}${H16})?::`,
].join('|')})`;
const IPV6_REFERENCE = `\\[${IPV6}\\]`;
const HOST = `(?:${HOSTNAME}|${IPV4}|${IPV6_REFERENCE})`;
const HOSTPORT = `${HOST}(?::\\d+)?`;

/** A URI without brackets holds no `,`, `;` or `?` (RFC 3261 20). */
const userinfoOf = (marks: string): string =>
  `(?:${UNRESERVED}|${ESCAPED}|[${marks}])+(?::(?:${UNRESERVED}|${ESCAPED}|[&=+$,])*)?@`;
const PARAM_CHAR = `(?:[\\[\\]/:&+$]|${UNRESERVED}|${ESCAPED})`;
const URI_PARAMETER = `(?:(?:transport|user|method)=${TOKEN}|${PARAM_CHAR}+(?:=${PARAM_CHAR}+)?)`;
const HNV = `(?:[\\[\\]/?:+$]|${UNRESERVED}|${ESCAPED})`;
const URI_HEADERS = `\\?${HNV}+=${HNV}*(?:&${HNV}+=${HNV}*)*`;
const SCHEME = '[sS][iI][pP][sS]?:';
const SIP_URI = `${SCHEME}(?:${userinfoOf('&=+$,;?/')})?${HOSTPORT}(?:;${URI_PARAMETER})*(?:${URI_HEADERS})?`;
const BARE_SIP_URI = `${SCHEME}(?:${userinfoOf('&=+$/')})?${HOSTPORT}`;
/** What begins with `sip:` is never an absoluteURI to the product. */
const absoluteOf = (uric: string): string =>
  `(?!${SCHEME})[A-Za-z][A-Za-z0-9+.-]*:(?:${uric}+|//(?:${uric}*@)?${IPV6_REFERENCE}(?::\\d+)?(?:[/?]${uric}*)?)`;
const uricOf = (marks: string): string => `(?:[${marks}]|${UNRESERVED}|${ESCAPED})`;
const ADDR_SPEC = `(?:${SIP_URI}|${absoluteOf(uricOf(';/?:@&=+$,'))})`;
const BARE_ADDR_SPEC = `(?:${BARE_SIP_URI}|${absoluteOf(uricOf('/:@&=+$'))})`;

/** Without LWS before `<`, as RFC 4475 lwsdisp has it. */
const DISPLAY_NAME = `(?:${TOKEN}(?:${LWS}+${TOKEN})*${LWS}*|${QUOTED}${LWS}*)`;
const NAME_ADDR = `${SWS}(?:${DISPLAY_NAME})?<${ADDR_SPEC}>${SWS}`;
const GENERIC = `${TOKEN}(?:${EQUAL}(?:${TOKEN}|${IPV6_REFERENCE}|${QUOTED}))?`;
const GENERICS = `(?:${SEMI}${GENERIC})*`;
const ADDRESS = `(?:${NAME_ADDR}|${BARE_ADDR_SPEC})${GENERICS}`;
const RECEIVED = `[rR][eE][cC][eE][iI][vV][eE][dD]${EQUAL}${IPV6}`;
const VIA_PARM = `${TOKEN}${SLASH}${TOKEN}${SLASH}${TOKEN}${LWS}${HOST}(?:${COLON}\\d+)?(?:${SEMI}(?:${RECEIVED}|${GENERIC}))*`;
const AUTH_PARAM = `${TOKEN}${EQUAL}(?:${TOKEN}|${QUOTED}(?:${SWS}$)?)`;
const CREDENTIALS = `${TOKEN}${LWS}${listOf(AUTH_PARAM)}`;
const CALL_ID = `${WORD}(?:@${WORD})?`;
const SERVER = `(?:${TOKEN}(?:${SLASH}${TOKEN})?|${COMMENT})`;
const MEDIA = `${TOKEN}${SLASH}${TOKEN}`;
const TEXT_CHAR = `(?:[\\x21-\\x7E]|${UTF8})`;
const PACKAGE = "[A-Za-z0-9\\-!%*_+`'~]+";

const RULES: Readonly<Record<string, string>> = {
  via: listOf(VIA_PARM),
  from: ADDRESS,
  to: ADDRESS,
  contact: `(?:\\*${SWS}|${listOf(ADDRESS)})`,
  route: listOf(NAME_ADDR + GENERICS),
  'record-route': listOf(NAME_ADDR + GENERICS),
  'call-id': CALL_ID,
  cseq: `\\d+${LWS}${TOKEN}`,
  'max-forwards': '\\d+',
  'content-length': '\\d+',
  authorization: CREDENTIALS,
  'proxy-authorization': CREDENTIALS,
  'www-authenticate': CREDENTIALS,
  'proxy-authenticate': CREDENTIALS,
  allow: `(?:${listOf(TOKEN)})?`,
  supported: `(?:${listOf(TOKEN)})?`,
  require: listOf(TOKEN),
  'content-type': `${MEDIA}(?:${SEMI}${TOKEN}${EQUAL}(?:${TOKEN}|${QUOTED}))*`,
  accept: `(?:${listOf(MEDIA + GENERICS)})?`,
  'user-agent': `${SERVER}(?:${LWS}+${SERVER})*(?:(?<=\\))${SWS})?`,
  subject: `(?:${TEXT_CHAR}+(?:${LWS}*${TEXT_CHAR})*)?`,
  'content-disposition': TOKEN + GENERICS,
  'retry-after': `\\d+(?:${SWS}${COMMENT}${SWS})?${GENERICS}`,
  warning: listOf(`\\d{3} (?:${HOSTPORT}|${TOKEN}) ${SWS}${QUOTED}`),
  timestamp: '\\d+(?:\\.\\d*)?' + `(?:${LWS}\\d*(?:\\.\\d*)?)?`,
  event: `${PACKAGE}(?:\\.${PACKAGE})*${GENERICS}`,
};

/** Header value, behind its colon, by header name; `request-line` is one more. */
export const ABNF: ReadonlyMap<string, RegExp> = new Map([
  ['request-line', new RegExp(`^${TOKEN} ${ADDR_SPEC} [sS][iI][pP]/\\d+\\.\\d+$`)],
  // HCOLON = *(SP / HTAB) ":" SWS
  ...Object.entries(RULES).map(([name, rule]) => [name, new RegExp(`^${SWS}(?:${rule})$`)] as const),
]);
