import type { SipView } from '../../model/index.ts';
import { originUser, sessionName } from './sdp.ts';
import { wireIdOf } from './shape.ts';
import { sipviciousTag, type SipviciousTag } from './sipvicious-tag.ts';

/** Where a condition of a pack can look: a text of the message, empty when it is not there. */
const TEXTS = {
  method: ({ sip }) => sip.method,
  request_uri: ({ sip }) => sip.requestUri,
  request_user: ({ sip }) => sip.requestUser,
  request_host: ({ sip }) => sip.requestHost,
  from_user: ({ sip }) => sip.from.user,
  from_host: ({ sip }) => sip.from.host,
  from_display: ({ sip }) => sip.from.display,
  from_tag: ({ sip }) => sip.from.tag,
  to_user: ({ sip }) => sip.to.user,
  to_host: ({ sip }) => sip.to.host,
  to_display: ({ sip }) => sip.to.display,
  to_tag: ({ sip }) => sip.to.tag,
  call_id: ({ sip }) => sip.callId,
  branch: ({ sip }) => sip.viaBranch,
  contact: ({ sip }) => sip.contact,
  user_agent: ({ sip }) => sip.userAgent,
  session: (features) => features.session,
  origin: (features) => features.origin,
} as const satisfies Readonly<Record<string, (features: Features) => string>>;

export type TextFeature = keyof typeof TEXTS;
export const TEXT_FEATURES = Object.keys(TEXTS) as readonly TextFeature[];

/** What conditions read of one message; what costs something is worked out once, when it is first asked for. */
export class Features {
  readonly sip: SipView;
  #session: string | undefined;
  #origin: string | undefined;
  #wire: string | undefined;
  #sipvicious: SipviciousTag | undefined;

  constructor(sip: SipView) {
    this.sip = sip;
  }

  get session(): string {
    return (this.#session ??= sessionName(this.sip.bodyStart));
  }

  get origin(): string {
    return (this.#origin ??= originUser(this.sip.bodyStart));
  }

  get wire(): string {
    return (this.#wire ??= wireIdOf(this.sip));
  }

  get sipvicious(): SipviciousTag {
    return (this.#sipvicious ??= sipviciousTag(this.sip.from.tag, this.sip.to));
  }
}

export const textOf = (name: TextFeature): ((features: Features) => string) => TEXTS[name];

/** Lengths of all texts, in the order of `TEXT_FEATURES`. Written out: a call for each of them took longer than what is done with them. */
export const readLengths = (features: Features, lengths: Int32Array): void => {
  const { sip } = features;
  const { from, to } = sip;
  lengths[0] = sip.method.length;
  lengths[1] = sip.requestUri.length;
  lengths[2] = sip.requestUser.length;
  lengths[3] = sip.requestHost.length;
  lengths[4] = from.user.length;
  lengths[5] = from.host.length;
  lengths[6] = from.display.length;
  lengths[7] = from.tag.length;
  lengths[8] = to.user.length;
  lengths[9] = to.host.length;
  lengths[10] = to.display.length;
  lengths[11] = to.tag.length;
  lengths[12] = sip.callId.length;
  lengths[13] = sip.viaBranch.length;
  lengths[14] = sip.contact.length;
  lengths[15] = sip.userAgent.length;
  lengths[16] = features.session.length;
  lengths[17] = features.origin.length;
};
