import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, expect, test } from 'vitest';
import { parse } from 'yaml';
import { writeCompanionConfig } from '../../../src/lab/prepare/companion-config.ts';

const folder = mkdtempSync(join(tmpdir(), 'lab-config-'));
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test("the lab's places are set, and how the operator's server is treated stays", () => {
  const file = join(folder, 'companion.yaml');
  writeFileSync(file, 'nodes: [{ name: edge, control: 192.0.2.1:1, allowlist_only: true }]\nmode: shadow\n');
  const layout = { state: '/state', socket: '/socket' } as Parameters<typeof writeCompanionConfig>[1];
  const line = { host: '127.0.0.1', http: 1, ask: 2, tell: 3, control: 4, evapi: 5, rpc: 6 } as Parameters<
    typeof writeCompanionConfig
  >[2];
  const written: unknown = parse(writeCompanionConfig(file, layout, line, 'datagram').text);
  expect(written).toMatchObject({
    mode: 'shadow',
    state_dir: '/state',
    nodes: [{ name: 'kamailio', control: '127.0.0.1:4', allowlist_only: true }],
  });
});
