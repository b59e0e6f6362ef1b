import { createServer } from 'node:http';
import type { IncomingMessage } from 'node:http';

export interface FakeAnswer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string | Buffer;
  /** Sends half of the body and hangs up. */
  readonly breaks?: boolean;
  /** Never answers. */
  readonly hangs?: boolean;
}

export interface Asked {
  readonly method: string;
  readonly path: string;
  readonly headers: IncomingMessage['headers'];
  readonly body: string;
}

export interface FakeServer {
  readonly url: string;
  readonly asked: Asked[];
  answer: (asked: Asked) => FakeAnswer;
  stop(): Promise<void>;
}

/** Somebody else's HTTP server on a free port of loopback. */
export const fakeServer = async (answer: FakeServer['answer'], host = '127.86.0.1'): Promise<FakeServer> => {
  const asked: Asked[] = [];
  const server = createServer((request, response) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      const one = {
        method: request.method ?? '',
        path: request.url ?? '',
        headers: request.headers,
        body: Buffer.concat(chunks).toString(),
      };
      asked.push(one);
      const { status = 200, headers = {}, body = '', breaks, hangs } = fake.answer(one);
      if (hangs === true) return;
      if (breaks === true) {
        response.writeHead(status, { ...headers, 'content-length': '1000000' });
        response.write(body);
        setImmediate(() => response.destroy());
        return;
      }
      response.writeHead(status, headers);
      response.end(body);
    });
  });
  await new Promise<void>((resolve) => server.listen(0, host, resolve));
  const { port } = server.address() as { port: number };
  const fake: FakeServer = {
    url: `http://${host}:${port}`,
    asked,
    answer,
    stop: async () => {
      server.closeAllConnections();
      await new Promise((resolve) => server.close(resolve));
    },
  };
  return fake;
};
