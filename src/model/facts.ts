import type { FittingExploit } from './contracts/exploit.ts';
import type { Barred, Place } from './contracts/geo.ts';
import type { Validity } from './contracts/validity.ts';

/** What enrichment knows about an event before it is judged. */
export interface Facts {
  /** Operator's lists, allow before deny. */
  readonly list: 'allow' | 'deny' | 'none';
  /** The address belongs to the SIP server or to this machine: never banned. */
  readonly own: boolean;
  /** Private, loopback, link-local or shared address space. */
  readonly privateRange: boolean;
  /** Where it is; left out when no database is at hand. */
  readonly place?: Place | undefined;
  /** A blocked country or network, or a feed, stands against it: weaker than any list. */
  readonly barred?: Barred | undefined;
  /** A feed knows the number that an INVITE calls from attackers. */
  readonly listedNumber?: boolean | undefined;
  /** The User-Agent matched a scanner pattern; `risk` is the risk of a false alarm. */
  readonly agent: { readonly pattern: string; readonly risk: 'low' | 'medium' | 'high' } | null;
  /** The message is built the way a known attack tool builds it, whatever its User-Agent says. */
  readonly fingerprint: {
    readonly tool: string;
    /** Entry of the pack that the message matches. */
    readonly entry: string;
    readonly detail: string;
    readonly risk: 'low' | 'medium' | 'high';
  } | null;
  /** Id of how the message is built (`w1-…`), whatever it says: reads it when called. Undefined for customers. */
  readonly wire?: (() => string) | undefined;
  /** What the operator's policy makes of the rules that the message breaks; undefined where nobody looked. */
  readonly validity?: Validity | undefined;
  /** The virtual patch that stops the message. */
  readonly exploit?: FittingExploit | undefined;
}
