import type { Scenario, World } from './scenario.ts';
import { transact } from './transact.ts';

const range = (count: number): number[] => Array.from({ length: count }, (_, index) => index);

const udp = (ip: string, port: number) => ({ ip, port, transport: 'udp' as const });

/** Seldom a wrong number, sometimes a busy one. */
const numberToDial = (world: World): string => {
  const chance = world.random();
  const rest = String(Math.floor(world.random() * 1e8)).padStart(8, '0');
  return `${chance < 0.1 ? 9 : chance < 0.3 ? 8 : 0}${rest}`;
};

const office: Scenario = {
  name: 'NAT office of 200, all at once, extensions in a row',
  minutes: 10,
  build(world) {
    for (const index of range(200)) {
      const wire = udp('198.51.100.20', 20_000 + index);
      const phone = world.phone({ user: String(200 + index), password: 'p', wire, everySeconds: 120 });
      world.after(world.random() * 3_000, phone.start);
      for (const _call of range(3))
        world.after(30_000 + world.random() * 400_000, () => {
          phone.call(numberToDial(world));
        });
    }
  },
};

const STORM_MS = 60_000;

const powerCut: Scenario = {
  name: 'power cut: 20,000 phones in 60 s, a scanner inside',
  minutes: 4,
  build(world) {
    const offices = 1_000;
    for (const index of range(20_000)) {
      // 12,000 at home, the others eight to an office
      const home = index < 12_000;
      const place = home ? index : index % offices;
      const ip = `${home ? 100 : 101}.${64 + (place >> 14)}.${(place >> 6) & 255}.${1 + (place & 63) * 3}`;
      const phone = world.phone({
        user: String(10_000 + index),
        password: 'p',
        wire: udp(ip, 1_024 + (index % 60_000)),
      });
      world.after(world.random() * STORM_MS, phone.start);
    }
    const ip = '203.0.113.66';
    world.attackers.add(ip);
    for (const index of range(2_500)) {
      const message = {
        method: 'REGISTER' as const,
        user: String(1_000 + index),
        target: '',
        callId: `scan${index}x${Math.floor(world.random() * 1e9)}`,
        cseq: 1,
        branch: `z9hG4bKs${index}`,
        agent: 'Yealink SIP-T46U 108.86.0.20',
      };
      world.after(5_000 + index * 20, () => {
        world.registrar.send(message, udp(ip, 5_060), () => undefined);
      });
    }
  },
};

const callCentre: Scenario = {
  name: 'call centre: 100 calls/s from one address, one account',
  minutes: 3,
  build(world) {
    const phone = world.phone({
      user: 'dialler',
      password: 'p',
      wire: udp('198.51.100.30', 5_060),
      agent: 'Asterisk PBX 18.24.3',
    });
    phone.start();
    for (const index of range(6_000))
      world.after(3_000 + index * 10, () => {
        phone.call(numberToDial(world));
      });
  },
};

const carrierOptions = (world: World): void => {
  const ip = '198.51.100.40';
  world.customers.add(`carrier ${ip}`);
  for (const index of range(6_000)) {
    const message = {
      method: 'OPTIONS' as const,
      user: 'ping',
      target: '',
      callId: `ping${index}@carrier`,
      cseq: 1,
      branch: `z9hG4bKp${index}`,
      agent: 'SBC 9.3',
    };
    world.after(index * 20, () => {
      transact(world, world.registrar, message, udp(ip, 5_060), (answer) => {
        if (answer?.code !== 200) world.harm(`carrier ${ip}`, `OPTIONS answered ${answer?.code ?? 'nothing'}`);
      });
    });
  }
};

const carrier: Scenario = {
  name: 'carrier: 50 OPTIONS/s, unknown to the server',
  minutes: 3,
  build: carrierOptions,
};

const roaming: Scenario = {
  name: 'roaming: 50 phones, another address every 45 s',
  minutes: 15,
  build(world) {
    for (const index of range(50)) {
      const place = (): ReturnType<typeof udp> =>
        udp(`100.70.1.${1 + Math.floor(world.random() * 100)}`, 1_024 + Math.floor(world.random() * 60_000));
      const phone = world.phone({ user: `mobile${index}`, password: 'p', wire: place(), everySeconds: 300 });
      const move = (): void => {
        phone.move(place());
        world.after(40_000 + world.random() * 10_000, move);
      };
      world.after(world.random() * 45_000, move);
      for (const _call of range(4))
        world.after(60_000 + world.random() * 700_000, () => {
          phone.call(numberToDial(world));
        });
    }
  },
};

const passwordChange: Scenario = {
  name: 'password change on 30 of 60 phones of an office',
  minutes: 30,
  build(world) {
    for (const index of range(60)) {
      const user = String(500 + index);
      const wire = udp('198.51.100.50', 30_000 + index);
      const phone = world.phone({ user, password: 'old', wire, everySeconds: 120 });
      world.after(world.random() * 20_000, phone.start);
      if (index % 2 === 1) continue;
      world.after(60_000, () => {
        world.registrar.password(user, 'new');
      });
      // somebody goes from desk to desk
      world.after(600_000 + index * 15_000, () => {
        phone.correct('new');
      });
    }
  },
};

const forgottenPhones: Scenario = {
  name: 'password change on all 30 phones of an office, corrected after two hours',
  minutes: 150,
  build(world) {
    for (const index of range(30)) {
      const user = String(600 + index);
      const wire = udp('198.51.100.55', 30_000 + index);
      const phone = world.phone({ user, password: 'old', wire, everySeconds: 300 });
      world.after(world.random() * 20_000, phone.start);
      world.after(360_000, () => {
        world.registrar.password(user, 'new');
      });
      world.after(7_560_000 + index * 15_000, () => {
        phone.correct('new');
      });
    }
  },
};

const madPhone = (world: World, answers: boolean): void => {
  const ip = '198.51.100.60';
  const phones = range(3).map((index) => {
    const phone = world.phone({ user: `home${index}`, password: 'p', wire: udp(ip, 40_000 + index), everySeconds: 60 });
    world.after(index * 1_000, phone.start);
    return phone;
  });
  let nonce: string | undefined;
  // its own account where it knows the password, else one that it has no password for
  const { user, port } = answers ? { user: phones[0]!.user, port: 40_000 } : { user: 'forgotten', port: 40_009 };
  for (const index of range(12_000)) {
    world.after(10_000 + index * 10, () => {
      const credentials = answers && nonce !== undefined ? { user, nonce, password: 'p' } : undefined;
      const message = {
        method: 'REGISTER' as const,
        user,
        target: '',
        callId: 'mad',
        cseq: index,
        branch: `z9hG4bKm${index}`,
        agent: 'Gigaset N510 IP PRO/42.258',
        credentials,
      };
      world.registrar.send(message, udp(ip, port), (answer) => {
        nonce = answer.nonce ?? (index % 2 === 0 ? undefined : nonce);
      });
    });
  }
};

const madWithPassword: Scenario = {
  name: 'mad phone: 100 REGISTER/s with its password, two others at home',
  minutes: 4,
  build(world) {
    madPhone(world, true);
  },
};

const madWithout: Scenario = {
  name: 'mad device: 100 REGISTER/s without a password, three phones at home',
  minutes: 4,
  build(world) {
    madPhone(world, false);
  },
};

/** Programs that only call: never registered, another port for each call, so each is a stranger's until it has proven itself. */
const lossyDialer: Scenario = {
  name: 'callers that never register, 10 calls a minute from one address, a quarter of their ACKs lost',
  minutes: 12,
  build(world) {
    for (const index of range(100)) {
      const wire = udp('198.51.100.60', 30_000 + index);
      const caller = world.phone({ user: String(700 + (index % 5)), password: 'p', wire, lostAcks: 0.25 });
      world.after(index * 6_000, () => {
        caller.call(numberToDial(world));
      });
    }
  },
};

/** Nothing here is an attack, but for the scanner in the storm. */
export const CUSTOMERS: readonly Scenario[] = [
  office,
  powerCut,
  callCentre,
  carrier,
  roaming,
  passwordChange,
  forgottenPhones,
  madWithPassword,
  madWithout,
  lossyDialer,
];
