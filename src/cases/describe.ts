import { compileTools, describeShape, readShape, shippedPack, wireId } from '../enrich/index.ts';
import type { CompanionConfig } from '../judging/index.ts';
import { isSipFault, readSip } from '../protocol/index.ts';
import { messageBytes } from './message-bytes.ts';

export interface MessageShape {
  readonly file: string;
  /** Empty when it is no request. */
  readonly wire: string;
  readonly tool: string;
  readonly entry: string;
  /** One feature a line; why there is none, otherwise. */
  readonly features: readonly string[];
}

/** How a message is built, for whoever writes an entry. @throws CompanionError CONFIG_UNREADABLE */
export const describeMessage = (file: string, policy: CompanionConfig): MessageShape => {
  const sip = readSip(messageBytes({ file }, './here'));
  if (isSipFault(sip)) return { file, wire: '', tool: '', entry: '', features: [`no request: ${sip.detail}`] };
  const mark = compileTools([shippedPack(), ...policy.packs.map(({ pack }) => pack)])(sip);
  const shape = readShape(sip);
  return {
    file,
    wire: wireId(shape),
    tool: mark?.tool ?? '',
    entry: mark?.entry ?? '',
    features: describeShape(shape),
  };
};
