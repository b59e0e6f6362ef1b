import type { Credentials, Standing } from '../../../src/model/index.ts';

/** A message on its way through the process, as the hook hands it over. */
export interface Arriving {
  readonly ip: string;
  readonly port: number;
  readonly credentials: Credentials;
  readonly standing: Standing;
  readonly raw: Buffer;
}

/** Names that real gear gives itself. */
const AGENTS = [
  'Yealink SIP-T46U 108.86.0.20',
  'Grandstream GXP2170 1.0.11.64',
  'PolycomVVX-VVX_411-UA/5.9.5.0614',
  'snomD785/10.1.141.13',
  'Cisco/SPA504G-7.6.2e',
  'Asterisk PBX 18.24.3',
  'FPBX-16.0.40.7(18.20.0)',
  'Linphone-Desktop/5.2.4 (debian) liblinphone/5.3.47',
  'Zoiper v2.10.20.7',
  'MicroSIP/3.21.3',
] as const;

const SDP = [
  'v=0',
  'o=- 20518 20518 IN IP4 198.51.100.7',
  's=-',
  'c=IN IP4 198.51.100.7',
  't=0 0',
  'm=audio 11780 RTP/AVP 0 8 9 18 101',
  'a=rtpmap:0 PCMU/8000',
  'a=rtpmap:8 PCMA/8000',
  'a=rtpmap:9 G722/8000',
  'a=rtpmap:18 G729/8000',
  'a=fmtp:18 annexb=no',
  'a=rtpmap:101 telephone-event/8000',
  'a=fmtp:101 0-15',
  'a=ptime:20',
  'a=sendrecv',
  '',
].join('\r\n');

const textOf = (method: string, n: number, ip: string, port: number, more: readonly string[], body = ''): string => {
  const user = String(1_000 + (n % 9_000));
  const aor = `sip:${user}@voip.example.net`;
  const uri =
    method === 'REGISTER'
      ? 'sip:voip.example.net'
      : `sip:${method === 'INVITE' ? '0049301234567' : user}@voip.example.net`;
  return [
    `${method} ${uri} SIP/2.0`,
    `Via: SIP/2.0/UDP ${ip}:${port};branch=z9hG4bK${(n * 2_654_435_761) >>> 0}x${n};rport`,
    'Max-Forwards: 70',
    `From: "Phone ${user}" <${aor}>;tag=${(n * 40_503) >>> 0}`,
    `To: <${method === 'INVITE' ? 'sip:0049301234567@voip.example.net' : aor}>`,
    `Call-ID: ${n}_${(n * 69_069) >>> 0}@${ip}`,
    `CSeq: ${1 + (n % 90)} ${method}`,
    `Contact: <sip:${user}@${ip}:${port}>`,
    'Allow: INVITE, INFO, PRACK, ACK, BYE, CANCEL, OPTIONS, NOTIFY, REGISTER, SUBSCRIBE, REFER, PUBLISH, UPDATE, MESSAGE',
    `User-Agent: ${AGENTS[n % AGENTS.length]}`,
    ...more,
    `Content-Length: ${body.length}`,
    '',
    body,
  ].join('\r\n');
};

const digest = (n: number): string =>
  `Authorization: Digest username="${1_000 + (n % 9_000)}", realm="voip.example.net", nonce="ZT9JHWU/SPFq8fyHbqUBOm2EyeAx8mcI", ` +
  'uri="sip:voip.example.net", response="6629fae49393a05397450978507c4ef1", algorithm=MD5';

/** A public address of its own for each number; neighbours in number share no /24. */
export const addressOf = (n: number): string =>
  `${11 + ((n >> 16) % 80)}.${n & 255}.${(n >> 8) & 255}.${1 + (n % 250)}`;

/**
 * What reaches the process on a busy server, by number: half are phones that register (without credentials, then with),
 * a quarter keep-alives, a quarter calls. `sources`: how many addresses they come from, a prime to 7919.
 */
export const messageOf = (n: number, sources: number, kind = (n + Math.floor(n / sources)) % 4): Arriving => {
  const who = (n * 7_919) % sources;
  const ip = addressOf(who);
  const port = 1_024 + (who % 60_000);
  const base = { ip, port, credentials: 'none', standing: 'stranger' } as const;
  switch (kind) {
    case 0:
      return { ...base, raw: Buffer.from(textOf('REGISTER', who, ip, port, ['Expires: 3600'])) };
    case 1:
      return {
        ...base,
        credentials: 'bound',
        raw: Buffer.from(textOf('REGISTER', who, ip, port, ['Expires: 3600', digest(who)])),
      };
    case 2:
      return { ...base, raw: Buffer.from(textOf('OPTIONS', who, ip, port, ['Accept: application/sdp'])) };
    default:
      return {
        ...base,
        raw: Buffer.from(
          textOf('INVITE', who, ip, port, ['Supported: replaces', 'Content-Type: application/sdp'], SDP),
        ),
      };
  }
};
