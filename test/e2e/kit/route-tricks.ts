import { setTimeout as sleep } from 'node:timers/promises';
import { expect } from 'vitest';
import { headerOf, requestText, token } from './sip-text.ts';
import type { RequestParts } from './sip-text.ts';
import type { Reply, Ua } from './ua.ts';

export const EVERY_METHOD =
  'INVITE REGISTER MESSAGE SUBSCRIBE PUBLISH REFER NOTIFY INFO BYE OPTIONS UPDATE PRACK ACK CANCEL'.split(' ');

/** A call that is up, seen by the caller. */
export interface Call {
  readonly callId: string;
  readonly fromTag: string;
  readonly to: string;
  readonly target: string;
  readonly routes: readonly string[];
  /** A request within the dialog, without credentials. */
  request(method: string, headers?: readonly string[]): Promise<Reply>;
}

/** Calls somebody who answers, without hanging up. */
export const callUp = async (caller: Ua, callee: string, domain: string): Promise<Call> => {
  const [callId, fromTag] = [token(), token()];
  const contact = `Contact: <sip:alice@${caller.local}>`;
  const uri = `sip:${callee}@${domain}`;
  const invite = await caller.authenticated({ method: 'INVITE', uri, callId, fromTag, headers: [contact] });
  expect(invite.status).toBe(200);
  const to = headerOf(invite.text, 'To');
  const target = /<([^>]*)>/.exec(headerOf(invite.text, 'Contact'))?.[1] ?? '';
  const routes = [...invite.text.matchAll(/^Record-Route:\s*(.*?)\r$/gm)].map(([, value]) => value!).toReversed();
  const lines = routes.map((value) => `Route: ${value}`);
  const from = `sip:alice@${domain}`;
  const parts = { uri: target, from, local: caller.local, callId, fromTag, more: lines };
  const toTag = /tag=([^;]*)/.exec(to)?.[1] ?? '';
  const cseq = Number(headerOf(invite.text, 'CSeq').split(' ')[0]);
  caller.send(requestText({ ...parts, method: 'ACK', to: uri, toTag, cseq }));
  await sleep(50);
  const request: Call['request'] = async (method, headers = []) =>
    caller.request({ method, uri: target, to, callId, fromTag, headers: [...lines, contact, ...headers] });
  return { callId, fromTag, to, target, routes, request };
};

const proofOf = (route: string): string => /;cdp=([0-9a-f]{42})/.exec(route)?.[1] ?? '';

/** What is done to a request to lead it to the sink. */
export const routeTricks = (
  call: Call,
  server: string,
  sink: { readonly ip: string; readonly port: number },
): Record<string, Partial<RequestParts>> => {
  const us = (more = ''): string => `<sip:${server};lr${more}>`;
  const them = `<sip:${sink.ip}:${sink.port};lr>`;

  const proof = proofOf(call.routes[0]!);
  const [uri, same] = [`sip:victim@${sink.ip}:${sink.port}`, { callId: call.callId, toTag: 'callee' }];
  return {
    'Route to the sink': { more: [`Route: ${them}`] },
    'Route through us': { more: [`Route: ${us()}, ${them}`] },
    'Request-URI of the sink': { uri },
    'Request-URI of the sink, Route through us': { uri, more: [`Route: ${us()}`] },
    'invented proof': { uri, more: [`Route: ${us(`;cdp=${'0'.repeat(42)}`)}, ${them}`] },
    'empty proof': { uri, more: [`Route: ${us(';cdp=')}`, `Route: ${them}`] },
    'proof without value': { uri, more: [`Route: ${us(';cdp')}`, `Route: ${them}`] },
    'proof of another dialog': { uri, more: [`Route: ${us(`;cdp=${proof}`)}, ${them}`] },
    'proof of this Call-ID, another tag': { ...same, uri, more: [`Route: ${us(`;cdp=${proof}`)}, ${them}`] },
    'two proofs': { uri, more: [`Route: ${us(`;cdp=${'1'.repeat(42)};cdp=${proof}`)}, ${them}`] },
    'proof in the second Route': { uri, more: [`Route: ${them}, ${us(`;cdp=${proof}`)}`] },
    'strict route': { uri: `sip:${server};cdp=${proof}`, more: [`Route: <sip:${sink.ip}:${sink.port}>`] },
    'strict route through us': { uri, more: [`Route: <sip:${server};cdp=${proof}>`, `Route: ${them}`] },
    'double record-route': { uri, more: [`Route: ${us(';r2=on')}, ${us(';r2=on')}, ${them}`] },
    'alias of the sink': {
      uri: `sip:victim@${server};alias=${sink.ip}~${sink.port}~1`,
      more: [`Route: ${us()}`],
    },
    'maddr of the sink': { uri: `sip:victim@${server};maddr=${sink.ip}`, more: [`Route: ${us()}`] },
    'a loop through us': { more: [`Route: ${Array.from({ length: 12 }, () => us()).join(', ')}`] },
    'a display name before the Route': { uri, more: [`Route: "x <sip:a;cdp=${proof}>" ${us()}, ${them}`] },
    'a broken Route': { uri, more: [`Route: <<sip:;;cdp=${proof}>`, `Route: ${them}`] },
  };
};
