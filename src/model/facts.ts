/** What enrichment knows about an event before it is judged. */
export interface Facts {
  /** Operator's lists, allow before deny. */
  readonly list: 'allow' | 'deny' | 'none';
  /** The address belongs to the SIP server or to this machine: never banned. */
  readonly own: boolean;
  /** Private, loopback, link-local or shared address space. */
  readonly privateRange: boolean;
  /** The User-Agent matched a scanner pattern; `risk` is the risk of a false alarm. */
  readonly agent: { readonly pattern: string; readonly risk: 'low' | 'medium' | 'high' } | null;
  /** The message is built the way a known attack tool builds it, whatever its User-Agent says. */
  readonly fingerprint: {
    readonly tool: string;
    readonly detail: string;
    readonly risk: 'low' | 'medium' | 'high';
  } | null;
}
