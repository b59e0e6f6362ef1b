import type { Command } from 'commander';
import type { ReportOptions } from '../commands/report.ts';
import type { CommonOptions } from '../options.ts';
import { asking } from './declaring.ts';
import type { Done } from './declaring.ts';

/** `check`, `why`, `trace`, `report`, `tune`, `shadow report`. */
export const declareQuestions = (program: Command, done: Done): void => {
  asking(
    program
      .command('check')
      .description('is an address blocked? exit code 0 clear, 1 blocked, 2 allowed, 3 error')
      .argument('<ip>'),
  ).action(async (ip: string, options: CommonOptions) =>
    done(import('../commands/check.ts').then(({ check }) => check(ip, options))),
  );
  asking(
    program
      .command('why')
      .description('what companion thinks of an address, on what evidence, and how to undo it')
      .argument('<what>', 'an address, or a Call-ID or user name that was seen lately'),
  ).action(async (what: string, options: CommonOptions) =>
    done(import('../commands/why.ts').then(({ why }) => why(what, options))),
  );
  asking(
    program
      .command('trace')
      .description('everything that is judged of one source, live, also what changes nothing, until Ctrl-C')
      .argument('<ip>'),
  ).action(async (ip: string, options: CommonOptions) =>
    done(import('../commands/trace.ts').then(({ trace }) => trace(ip, options))),
  );
  asking(program.command('report').description('attacks of the last day: sources, tools, rules, outcome'))
    .option('--since <duration>', 'how far back: 24h, 7d, at most 90d', '24h')
    .action(async (options: ReportOptions) =>
      done(import('../commands/report.ts').then(({ report }) => report(options))),
    );
  asking(program.command('tune').description('thresholds by what your customers do, as lines for the configuration'))
    .option('--since <duration>', 'how far back, at most 7d', '7d')
    .action(async (options: ReportOptions) => done(import('../commands/tune.ts').then(({ tune }) => tune(options))));
  const shadow = program.command('shadow').description('what was decided and not enforced');
  asking(shadow.command('report').description('who would have been hit, by which rule, and who of them is a customer'))
    .option('--since <duration>', 'how far back: 24h, 7d, at most 90d', '24h')
    .action(async (options: ReportOptions) =>
      done(import('../commands/shadow.ts').then((commands) => commands.shadowReport(options))),
    );
};
