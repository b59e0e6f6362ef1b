import type { EpochMs, ProofTier } from '../../model/index.ts';
import type { Dialled, Hunted } from './dial-prefixes.ts';

/** Numbers remembered of one source, and ways to dial each: a hunter has few of the first, every rule needs few of both. */
const MAX_NUMBERS = 16;
const MAX_PREFIXES = 16;

interface Try {
  readonly prefix: string;
  at: EpochMs;
  tier: ProofTier;
  /** The callee answered, or was busy. */
  answered: boolean;
}

/** What is asked of hunts: ways to dial one number that nobody answered, and any ways. */
export interface HuntRules {
  readonly since: EpochMs;
  readonly tier: ProofTier;
  readonly unanswered: number;
  readonly tried: number;
}

/**
 * What one source dialled before each number, for hours: a hunter has time, and tries the next prefix when nobody looks.
 * A working trunk writes a number in the same way each time.
 */
export class Hunts {
  /** By the last digits of the number; the youngest last, numbers and tries alike. */
  readonly #numbers = new Map<string, Try[]>();
  #size = 0;

  /** Tries remembered. */
  get size(): number {
    return this.#size;
  }

  /** @returns by how many the tries that are remembered grew */
  note({ prefix, tail }: Dialled, at: EpochMs, tier: ProofTier): number {
    const before = this.#size;
    const tries = this.#numbers.get(tail) ?? [];
    this.#numbers.delete(tail);
    this.#numbers.set(tail, tries);
    const known = tries.find((one) => one.prefix === prefix);
    if (known !== undefined) {
      known.at = at;
      if (tier === 'proven') known.tier = tier;
    } else {
      tries.push({ prefix, at, tier, answered: false });
      this.#size += 1;
      if (tries.length > MAX_PREFIXES) {
        tries.shift();
        this.#size -= 1;
      }
    }
    if (this.#numbers.size > MAX_NUMBERS) {
      const [oldest, dropped] = this.#numbers.entries().next().value!;
      this.#numbers.delete(oldest);
      this.#size -= dropped.length;
    }
    return this.#size - before;
  }

  answered({ prefix, tail }: Dialled): void {
    const known = this.#numbers.get(tail)?.find((one) => one.prefix === prefix);
    if (known !== undefined) known.answered = true;
  }

  /** The number that was dialled in too many ways; undefined when there is none. */
  find({ since, tier, unanswered, tried }: HuntRules): Hunted | undefined {
    for (const [tail, tries] of this.#numbers) {
      if (tries.length < Math.min(unanswered, tried)) continue;
      const counted = tries.filter((one) => one.at > since && (tier === 'spoofable' || one.tier === 'proven'));
      const open = counted.filter(({ answered }) => !answered);
      const hunted = open.length >= unanswered ? open : counted.length >= tried ? counted : undefined;
      if (hunted !== undefined) return { tail, prefixes: hunted.map(({ prefix }) => prefix) };
    }
    return undefined;
  }
}
