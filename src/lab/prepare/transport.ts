import { LabError } from '../problem.ts';

/** What Kamailio's configuration says for each way in which frames reach companion. */
export const TRANSPORT_DEFINES = {
  datagram: '# frames by datagram',
  evapi: '#!define COMPANION_HOOK_EVAPI',
  http: '#!define COMPANION_HOOK_HTTP',
} as const;

export type HookTransport = keyof typeof TRANSPORT_DEFINES;

/** @throws LabError */
export const parseTransport = (text: string | undefined): HookTransport => {
  if (text === undefined) return 'datagram';
  if (Object.hasOwn(TRANSPORT_DEFINES, text)) return text as HookTransport;
  throw new LabError(`--transport is one of: ${Object.keys(TRANSPORT_DEFINES).join(', ')}.`);
};
