/**
 * The command line. Arguments come in; questions go to a running service through its control socket, and text or JSON
 * goes to stdout. Only `run` starts the service itself, through `app.ts`.
 * It must never let text of the service, which may quote attackers, reach a terminal unescaped.
 * This file loads nothing heavy, so that an old Node.js still gets as far as `nodeProblem`.
 */
export { nodeProblem } from './node-version.ts';

/** Runs one command. @returns the exit code; with `run` the process lives on. */
export const runCli = async (args: readonly string[]): Promise<number> => {
  if (args[0] === 'complete') return (await import('./completion/answer.ts')).answerCompletion(args.slice(1));
  const { runProgram } = await import('./program.ts');
  return runProgram(args);
};
