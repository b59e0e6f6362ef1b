import type { Message, Wire } from './message.ts';
import type { Scenario, World } from './scenario.ts';

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

/** What tools call themselves when they do not want to be seen. */
const AGENT = 'Yealink SIP-T46U 108.86.0.20';

/** Customers who live on meanwhile, each at home. */
const bystanders = (world: World, count: number): void => {
  for (const index of range(count)) {
    const wire = { ip: `100.80.${index >> 8}.${index & 255}`, port: 5_060, transport: 'udp' as const };
    const phone = world.phone({ user: String(1_001 + index), password: 'secret', wire, everySeconds: 300 });
    world.after(world.random() * 60_000, phone.start);
    world.after(120_000 + world.random() * 60_000, () => {
      phone.call('0123456');
    });
  }
};

let serial = 0;
const register = (user: string, callId: string, credentials?: Message['credentials']): Message => ({
  method: 'REGISTER',
  user,
  target: '',
  callId,
  cseq: credentials === undefined ? 1 : 2,
  branch: `z9hG4bKa${(serial += 1)}`,
  agent: AGENT,
  credentials,
});

/** One password: asks for a nonce, answers it. */
const guess = (world: World, wire: Wire, user: string, password: string, callId: string): void => {
  world.registrar.send(register(user, callId), wire, ({ nonce }) => {
    if (nonce !== undefined)
      world.registrar.send(register(user, callId, { user, nonce, password }), wire, () => undefined);
  });
};

const bruteForce = (name: string, everyMs: number, minutes: number): Scenario => ({
  name,
  minutes,
  build(world) {
    bystanders(world, 20);
    const wire = { ip: '203.0.113.77', port: 5_060, transport: 'udp' as const };
    world.attackers.add(wire.ip);
    for (const index of range(Math.floor(((minutes - 1) * 60_000) / everyMs)))
      world.after(30_000 + index * everyMs, () => {
        guess(world, wire, '1001', `try${index}`, `guess${index}`);
      });
  },
});

const botnet: Scenario = {
  name: 'botnet: 200 addresses, 3 users each',
  minutes: 12,
  build(world) {
    bystanders(world, 50);
    for (const index of range(200)) {
      const wire = { ip: `${60 + (index % 40)}.${index}.7.9`, port: 5_060, transport: 'udp' as const };
      world.attackers.add(wire.ip);
      for (const step of range(3))
        world.after(30_000 + world.random() * 600_000, () => {
          world.registrar.send(
            register(String(2_000 + index * 3 + step), `bot${index}x${step}`),
            wire,
            () => undefined,
          );
        });
    }
  },
};

const OFFICES = 200;

/** The bots' messages are built exactly as those of the customers' phones. */
const lookalikes: Scenario = {
  name: 'botnet of 200 that looks like the phones of 200 offices',
  minutes: 20,
  build(world) {
    for (const office of range(OFFICES))
      for (const desk of range(4)) {
        const wire = {
          ip: `101.66.${office >> 6}.${1 + (office & 63)}`,
          port: 20_000 + desk,
          transport: 'udp' as const,
        };
        const user = String(30_000 + office * 4 + desk);
        const phone = world.phone({ user, password: 'secret', wire, everySeconds: 300 });
        world.after(world.random() * 900_000, phone.start);
      }
    for (const index of range(200)) {
      const wire = { ip: `${60 + (index % 40)}.${index}.8.9`, port: 5_060, transport: 'udp' as const };
      world.attackers.add(wire.ip);
      for (const step of range(3))
        world.after(60_000 + world.random() * 900_000, () => {
          const user = String(60_000 + index * 3 + step);
          const branch = `z9hG4bK${user}1${Math.floor(world.random() * 1e9).toString(36)}`;
          world.registrar.send({ ...register(user, `${user}-reg-${wire.ip}`), branch }, wire, () => undefined);
        });
    }
  },
};

/** Reads the answer to each call and leaves it at that: one number, one address, no mark of a tool. */
const dialer: Scenario = {
  name: 'dialer that acknowledges no answer: a call in 10 s, always the same number',
  minutes: 10,
  build(world) {
    bystanders(world, 20);
    const wire = { ip: '203.0.113.78', port: 5_060, transport: 'udp' as const };
    world.attackers.add(wire.ip);
    for (const index of range(50))
      world.after(30_000 + index * 10_000, () => {
        const call = { user: '1001', target: '00442070000000', callId: `dial${index}`, branch: `z9hG4bKd${index}` };
        world.registrar.send({ method: 'INVITE', cseq: 1, agent: AGENT, ...call }, wire, () => undefined);
      });
  },
};

const PROXIES = 40;
const PATIENCE_MS = 2_000;

const proxyList: Scenario = {
  name: 'scanner with a list of 40 proxies, the next one when it is shut out',
  minutes: 20,
  build(world) {
    bystanders(world, 50);
    let user = 3_000;
    let proxy = 0;
    let heard = world.now;
    const step = (): void => {
      if (world.now - heard > PATIENCE_MS) {
        proxy += 1;
        heard = world.now;
      }
      if (proxy >= PROXIES) return;
      const wire = { ip: `${60 + proxy}.9.${proxy}.77`, port: 40_000 + proxy, transport: 'tcp' as const };
      world.attackers.add(wire.ip);
      world.registrar.send(register(String((user += 1)), `proxied${user}`), wire, () => {
        heard = world.now;
      });
      world.after(200, step);
    };
    world.after(30_000, () => {
      heard = world.now;
      step();
    });
  },
};

export const ATTACKS: readonly Scenario[] = [
  bruteForce('brute force: one password a second', 1_000, 10),
  bruteForce('slow brute force: 0.05/s', 20_000, 60),
  botnet,
  lookalikes,
  proxyList,
  dialer,
];
