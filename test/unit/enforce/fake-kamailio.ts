import { createServer } from 'node:http';
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

type Value = string | number;
interface Call {
  readonly method: string;
  readonly params: readonly Value[];
}
/** What a test makes the server do with a call; undefined: as Kamailio would. */
export type Misbehaviour = (call: Call, response: ServerResponse) => boolean;

const TABLES = ['ipban', 'companion_net', 'companion_state', 'companion_good', 'companion_meta'];

/** Enough of Kamailio's RPC to be enforced upon, in memory; keys never expire by themselves. */
export class FakeKamailio {
  readonly tables = new Map(TABLES.map((name) => [name, new Map<string, Value>()]));
  readonly calls: Call[] = [];
  boot = 1;
  /** Tables without autoexpire. */
  endless: string[] = ['companion_meta'];
  freeMemory = 60;
  misbehave: Misbehaviour = () => false;
  token = '';
  /** Whether its door takes many writes in one request. */
  bulk = false;
  /** What the bulk door was sent. */
  readonly bodies: string[] = [];
  #server = createServer((request, response) => void this.#serve(request, response));
  #port = 0;

  get url(): string {
    return `http://127.0.0.1:${this.#port}/RPC`;
  }

  table(name: string): Map<string, Value> {
    return this.tables.get(name) ?? new Map<string, Value>();
  }

  /** Only what changes something. */
  writes(): string[] {
    return this.calls
      .filter((call) => /set|delete/.test(call.method))
      .map((call) => [call.method, ...call.params].join(' '));
  }

  async start(): Promise<void> {
    this.#server = createServer((request, response) => void this.#serve(request, response));
    await new Promise<void>((resolve) => {
      this.#server.listen(this.#port, '127.0.0.1', resolve);
    });
    this.#port = (this.#server.address() as AddressInfo).port;
  }

  async stop(): Promise<void> {
    const closed = new Promise((resolve) => {
      this.#server.close(resolve);
    });
    this.#server.closeAllConnections();
    await closed;
  }

  /** As a restart does it: everything forgotten, connections broken. */
  async restart(): Promise<void> {
    await this.stop();
    this.boot += 1;
    this.calls.length = 0;
    for (const table of this.tables.values()) table.clear();
    await this.start();
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    let body = '';
    for await (const piece of request) body += String(piece);
    if (this.token !== '' && request.headers['x-companion-token'] !== this.token) {
      response.writeHead(401).end('token');
      return;
    }
    if (request.url !== '/RPC') {
      if (this.bulk && request.url === '/RPC/many') this.#serveMany(body, response);
      else response.writeHead(404).end('path');
      return;
    }
    const call = JSON.parse(body) as Call & { id: number };
    this.calls.push(call);
    if (this.misbehave(call, response)) return;
    const answer = this.#answer(call);
    const failed = typeof answer === 'object' && 'error' in answer;
    response
      .writeHead(failed ? 500 : 200)
      .end(JSON.stringify({ jsonrpc: '2.0', ...(failed ? answer : { result: answer }), id: call.id }));
  }

  #serveMany(body: string, response: ServerResponse): void {
    this.bodies.push(body);
    const calls = body.split('|').map((line) => JSON.parse(line) as Call);
    this.calls.push(...calls);
    if (calls.some((call) => this.misbehave(call, response))) return;
    const digits = calls.map((call) => (typeof this.#answer(call) === 'string' ? '1' : '0'));
    response.writeHead(200).end(`${digits.join('')}\n`);
  }

  #answer({ method, params }: Call): string | object {
    const [name = '', key = '', value = ''] = params;
    const table = this.tables.get(String(name));
    const error = (message: string): object => ({ error: { code: 500, message } });
    switch (method) {
      case 'core.uptime':
        return { now: '', up_since: `boot ${this.boot}`, uptime: 5 };
      case 'core.version':
        return 'kamailio 5.6.3 (x86_64/linux) ';
      case 'core.shmmem':
        return { total: 100, free: this.freeMemory };
      case 'htable.listTables':
        return [...this.tables.keys()].map((one) => ({ name: one, expire: this.endless.includes(one) ? 0 : 3600 }));
      case 'htable.stats':
        return [...this.tables].map(([one, keys]) => ({ name: one, slots: 16, all: keys.size, min: 0, max: 1 }));
      default:
        break;
    }
    if (table === undefined) return error('No such htable');
    switch (method) {
      case 'htable.setxs':
      case 'htable.setxi':
      case 'htable.seti':
        table.set(String(key), value);
        return 'Ok. Key set to new value.';
      case 'htable.delete':
        return table.delete(String(key)) ? 'Ok. Key deleted.' : error('Key not found in htable.');
      case 'htable.get': {
        const held = table.get(String(key));
        if (held === undefined) return error("Key name doesn't exist in htable.");
        return { item: { name: key, value: held, flags: 2, expire: '2026-01-01 00:00:00' } };
      }
      case 'htable.dump':
        return [...table].map(([one, held], entry) => ({
          entry,
          size: 1,
          slot: [{ name: one, value: held, type: typeof held === 'number' ? 'int' : 'str' }],
        }));
      default:
        return error('Method Not Found');
    }
  }
}
