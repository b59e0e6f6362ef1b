import type { Command } from 'commander';

/** Runs a command that is loaded only now, and keeps its exit code. */
export type Done = (code: Promise<number>) => Promise<void>;

/** The options of every command that asks the service. */
export const asking = (command: Command): Command =>
  command.option('--json', 'print JSON for programs').option('--socket <path>', 'control socket of the service');
