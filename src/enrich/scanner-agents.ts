/** Risk that a match hits a customer: low = an attack tool, medium = also used by operators, high = a real client. */
export type AlarmRisk = 'low' | 'medium' | 'high';

/** A text that gives a User-Agent away. Matched as a case-insensitive substring, or with `word` as a whole word. */
export interface AgentPattern {
  readonly pattern: string;
  readonly risk: AlarmRisk;
  /** Not preceded or followed by a letter or digit: for short names that occur inside honest ones (SipClient, SIPv2). */
  readonly word?: boolean | undefined;
}

const low = (pattern: string): AgentPattern => ({ pattern, risk: 'low' });
const lowWord = (pattern: string): AgentPattern => ({ pattern, risk: 'low', word: true });
const medium = (pattern: string): AgentPattern => ({ pattern, risk: 'medium' });
const mediumWord = (pattern: string): AgentPattern => ({ pattern, risk: 'medium', word: true });
const high = (pattern: string): AgentPattern => ({ pattern, risk: 'high' });

/**
 * Names of scanners, as public block lists carry them (stock kamailio.cfg, FusionPBX, Kazoo, drachtio, Pepelux
 * SIP-Firewall, siphon-sip, sipnab and others). Left out on purpose, because customers' PBXs and phones send them:
 * `x`, `voip`, `tel:`, `PBX`, `FPBX`, `FreePBX `, `Asterisk PBX`, `Z 3`, `Zfree`, `eyeBeam`, `Cisco-SIPGateway`,
 * `Cisco-CUCM`, `friendly`.
 */
export const SCANNER_AGENTS: readonly AgentPattern[] = [
  // sipvicious and its renamed copies
  low('friendly-scanner'),
  low('friendly-request'),
  low('sipvicious'),
  low('sundayddr'),
  low('sundayaddr'),
  low('Zeeko'),
  // toll-fraud dialers
  lowWord('sipcli'),
  lowWord('sip-cli'),
  low('VaxSIPUserAgent'),
  low('VaxIPUserAgent'),
  low('VaxUserAgent'),
  low('Conaito'),
  low('VoIP SIP v11.0.0'),
  low('Cisco v11.0.0'),
  lowWord('Custom SIP'),
  lowWord('SIP Call'),
  lowWord('SimpleSIP'),
  lowWord('A_B_C'),
  low('Asterix PBX'),
  low('UsaAirport'),
  low('zxcvfdf11'),
  low('aaaaaaaa'),
  // scanners, war dialers, password tools
  low('pplsip'),
  low('sippts'),
  low('sip-scan'),
  low('sipscan'),
  low('siparmyknife'),
  low('VoIPSec'),
  low('Nsauditor'),
  low('Nmap NSE'),
  low('Viproy'),
  low('sivus'),
  low('dr.pes'),
  lowWord('iWar'),
  lowWord('smap'),
  lowWord('Gulp'),
  lowWord('sipv'),
  lowWord('QNQ'),
  lowWord('NiceGuy'),
  lowWord('SipReg'),
  // tools and kits that operators and developers use as well
  medium('sipsak'),
  medium('Ozeki'),
  medium('PortSIP'),
  medium('ABTO Video SIP SDK'),
  medium('voxalot'),
  medium('IM-client/OMA1.0'),
  mediumWord('Test Agent'),
  mediumWord('SipClient'),
  mediumWord('Trixbox'),
  mediumWord('opensip'),
  mediumWord('China'),
  // honest clients and libraries that attackers like to use
  high('CSipSimple'),
  high('MizuPhone'),
  high('xlite'),
  high('sipsorcery'),
];
