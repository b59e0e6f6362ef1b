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
