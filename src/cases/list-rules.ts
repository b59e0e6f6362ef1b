import { RULES } from '../detect/index.ts';
import { entriesOf, shippedPack } from '../enrich/index.ts';
import type { CompanionConfig } from '../judging/index.ts';

export interface RuleListing {
  readonly rules: readonly {
    readonly rule: string;
    /** `as shipped`, `off`, or the points that the configuration gives it. */
    readonly setting: string;
  }[];
  /** Entries of the packs in force. */
  readonly entries: readonly {
    readonly name: string;
    readonly pack: string;
    readonly tool: string;
    readonly risk: string;
    readonly detail: string;
  }[];
}

/** Every rule and every known tool of a policy. */
export const listRules = ({ rules, packs }: CompanionConfig): RuleListing => {
  const all = [shippedPack(), ...packs.map(({ pack }) => pack)];
  return {
    rules: RULES.map((rule) => {
      const setting = rules[rule];
      return {
        rule,
        setting: setting === undefined ? 'as shipped' : setting === 'off' ? 'off' : `${setting.points} points`,
      };
    }),
    entries: entriesOf(all).map((entry) => {
      const { name, tool, risk, detail } = entry;
      return { name, pack: all.findLast(({ entries }) => entries.includes(entry))?.pack ?? '', tool, risk, detail };
    }),
  };
};
