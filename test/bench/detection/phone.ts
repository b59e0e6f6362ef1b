import type { Message, Wire } from './message.ts';
import type { Answer, Registrar } from './server.ts';
import type { Simulation } from './simulation.ts';
import { transact } from './transact.ts';

/** A legitimate transaction has its right final answer by then, and no phone is unregistered for longer (design.md). */
const HARM_TRANSACTION_MS = 32_000;
const HARM_UNREGISTERED_MS = 60_000;

const AGENT = 'Yealink SIP-T46U 108.86.0.20';

export interface PhoneOptions {
  readonly user: string;
  readonly password: string;
  readonly wire: Wire;
  /** Seconds between two registrations. */
  readonly everySeconds?: number;
  readonly agent?: string;
  /** Share of its ACKs that get lost on the way. */
  readonly lostAcks?: number;
}

/** A customer: registers, calls, and remembers whether that went as it should. */
export interface Phone {
  readonly user: string;
  /** Registers now, and again as long as the simulation runs. */
  start(): void;
  /** Dials; the right final answer is any that comes from behind the authentication. */
  call(target: string): void;
  /** Moves to another address or port, as a phone in a car does, and registers anew. */
  move(wire: Wire): void;
  /** The right password is typed in. */
  correct(password: string): void;
  /** Whether the phone came to harm by now. */
  readonly harm: string | undefined;
  readonly registered: boolean;
}

/** What the phone itself does wrong is no harm: only transactions with the right password count. */
export const createPhone = (
  simulation: Simulation,
  registrar: Registrar,
  options: PhoneOptions,
  isRight: (password: string) => boolean = () => true,
): Phone => {
  const { user, everySeconds = 600, agent = AGENT, lostAcks = 0 } = options;
  let { wire, password } = options;
  let serial = 0;
  let nonce: string | undefined;
  let registered = false;
  /** Since when it should be registered and is not. */
  let outSince: number | undefined;
  let found: string | undefined;
  let round = 0;
  /** Gives up the registration that is on its way, as a phone does that starts with other settings. */
  let giveUp = (): void => undefined;

  const fresh = (): string =>
    `${user}${(serial += 1).toString(36)}${Math.floor(simulation.random() * 1e9).toString(36)}`;
  const messageOf = (method: Message['method'], target: string, callId: string, cseq: number): Message => ({
    method,
    user,
    target,
    callId,
    cseq,
    branch: `z9hG4bK${fresh()}`,
    agent,
    ...(nonce === undefined || method === 'ACK' ? {} : { credentials: { user, nonce, password } }),
  });
  const checkHarm = (): void => {
    if (outSince !== undefined && simulation.now - outSince > HARM_UNREGISTERED_MS)
      found ??= `unregistered for ${Math.round((simulation.now - outSince) / 1_000)} s`;
  };

  /** Challenged once or twice (a nonce may be old), then answered. */
  const exchange = (
    method: Message['method'],
    target: string,
    callId: string,
    done: (answer: Answer | undefined) => void,
    attempt = 1,
  ): void => {
    const message = messageOf(method, target, callId, attempt);
    const stop = transact(simulation, registrar, message, wire, (answer) => {
      const challenged = answer?.code === 401 || answer?.code === 407;
      if (method === 'INVITE' && answer !== undefined && (lostAcks === 0 || simulation.random() >= lostAcks))
        registrar.send({ ...message, method: 'ACK' }, wire, () => undefined);
      if (challenged && answer.nonce !== undefined && attempt < 3) {
        nonce = answer.nonce;
        exchange(method, target, callId, done, attempt + 1);
      } else done(answer);
    });
    if (method === 'REGISTER') giveUp = stop;
  };

  const register = (): void => {
    const mine = (round += 1);
    const began = simulation.now;
    const right = isRight(password);
    if (right && !registered) outSince ??= began;
    const again = (seconds: number): void => {
      simulation.after(seconds * 1_000, () => {
        if (mine === round) register();
      });
    };
    exchange('REGISTER', '', `${user}-reg-${wire.ip}`, (answer) => {
      if (mine !== round) return;
      const took = simulation.now - began;
      if (answer?.code === 200) {
        checkHarm();
        if (right && took > HARM_TRANSACTION_MS) found ??= `registered after ${Math.round(took / 1_000)} s`;
        registered = true;
        outSince = undefined;
        again(everySeconds * (0.9 + simulation.random() * 0.1));
        return;
      }
      registered = false;
      nonce = undefined;
      if (right) {
        found ??= `REGISTER answered ${answer?.code ?? 'nothing'} after ${Math.round(took / 1_000)} s`;
        outSince ??= began;
      }
      checkHarm();
      again(30);
    });
  };

  return {
    user,
    start: register,
    call(target) {
      const began = simulation.now;
      const callId = `${fresh()}-call`;
      exchange('INVITE', target, callId, (answer) => {
        const took = simulation.now - began;
        const right = answer !== undefined && answer.code !== 401 && answer.code !== 407 && answer.code !== 503;
        if (!right || took > HARM_TRANSACTION_MS)
          found ??= `INVITE answered ${answer?.code ?? 'nothing'} after ${Math.round(took / 1_000)} s`;
        if (answer?.code !== 200 || answer.toTag === undefined) return;
        const bye = { ...messageOf('BYE', target, callId, 9), toTag: answer.toTag, credentials: undefined };
        simulation.after(20_000, () => {
          transact(simulation, registrar, bye, wire, (end) => {
            if (end?.code !== 200) found ??= `BYE answered ${end?.code ?? 'nothing'}`;
          });
        });
      });
    },
    move(next) {
      wire = next;
      register();
    },
    correct(right) {
      password = right;
      nonce = undefined;
      giveUp();
      register();
    },
    get harm() {
      checkHarm();
      return found;
    },
    get registered() {
      return registered;
    },
  };
};
