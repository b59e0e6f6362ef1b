import type { Command } from 'commander';

/** What may follow a command line that has come so far: words, and addresses of a kind or a file. */
export interface Words {
  /** `ban remove`; empty for the program itself. */
  readonly path: string;
  readonly words: readonly { readonly word: string; readonly about: string }[];
  readonly argument: 'held' | 'allow' | 'deny' | 'any' | 'file' | undefined;
}

/** Arguments that are addresses, and which ones are likely. */
const ADDRESSES: Readonly<Record<string, 'held' | 'allow' | 'deny' | 'any'>> = {
  'ban remove': 'held',
  'allow remove': 'allow',
  'deny remove': 'deny',
  check: 'any',
  why: 'any',
  trace: 'any',
};

/** Every command with its subcommands, options and argument, out of the program itself. */
export const wordsOf = (command: Command, path = ''): Words[] => {
  const visible = command.commands.filter((each) => each.name() !== 'help');
  const choices = command.registeredArguments.flatMap(({ argChoices }) => argChoices ?? []);
  const words = [
    ...visible.map((each) => ({ word: each.name(), about: each.description() })),
    ...choices.map((word) => ({ word, about: '' })),
    ...command.options.map(({ long, description }) => ({ word: long ?? '', about: description })),
    { word: '--help', about: 'show help' },
  ].filter(({ word }) => word !== '');
  const file = command.registeredArguments.some((argument) => argument.name() === 'file' && !argument.argChoices);
  return [
    { path, words, argument: ADDRESSES[path] ?? (file ? 'file' : undefined) },
    ...visible.flatMap((each) => wordsOf(each, path === '' ? each.name() : `${path} ${each.name()}`)),
  ];
};
