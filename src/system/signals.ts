/** The part of `process` that delivers signals. */
export interface SignalSource {
  on(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
  off(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): unknown;
}

export interface SignalPlan {
  /** Ends the service in good order. Called once, at the first SIGTERM or SIGINT. */
  readonly stop: (signal: NodeJS.Signals) => Promise<void>;
  /** Reads the configuration again, at SIGHUP. Never runs twice at a time. */
  readonly reload: () => Promise<void>;
  /** A stop or reload that failed or took too long. */
  readonly report: (error: unknown) => void;
  /** Milliseconds for `stop`; keep it below systemd's TimeoutStopSec, which ends in SIGKILL. */
  readonly deadlineMs?: number;
  readonly exit?: (code: number) => void;
  readonly source?: SignalSource;
}

const DEFAULT_DEADLINE_MS = 10_000;

/**
 * Wires SIGTERM, SIGINT and SIGHUP. The process exits with 0 after a good stop, with 1 when the stop failed or missed its
 * deadline; a second SIGTERM or SIGINT exits at once with 1, for the operator who has waited enough.
 * @returns a function that takes the handlers off again
 */
export const handleSignals = (plan: SignalPlan): (() => void) => {
  const { stop, reload, report, deadlineMs = DEFAULT_DEADLINE_MS, source = process } = plan;
  const exit = plan.exit ?? ((code: number): void => process.exit(code));
  let stopping = false;
  let reloading = false;
  let reloadAgain = false;

  const onStop = (signal: NodeJS.Signals): void => {
    if (stopping) return exit(1);
    stopping = true;
    let ended = false;
    const end = (code: number, problem?: unknown): void => {
      if (ended) return;
      ended = true;
      clearTimeout(timer);
      if (problem !== undefined) report(problem);
      exit(code);
    };
    const timer = setTimeout(() => end(1, new Error(`stopping took longer than ${deadlineMs} ms`)), deadlineMs);
    // In a then, so that a stop that throws at once is reported like one that rejects.
    Promise.resolve()
      .then(() => stop(signal))
      .then(
        () => end(0),
        (error: unknown) => end(1, error),
      );
  };

  const onReload = (): void => {
    if (stopping) return;
    if (reloading) {
      reloadAgain = true;
      return;
    }
    reloading = true;
    Promise.resolve()
      .then(() => reload())
      .catch(report)
      .finally(() => {
        reloading = false;
        if (!reloadAgain) return;
        reloadAgain = false;
        onReload();
      });
  };

  source.on('SIGTERM', onStop);
  source.on('SIGINT', onStop);
  source.on('SIGHUP', onReload);
  return () => {
    source.off('SIGTERM', onStop);
    source.off('SIGINT', onStop);
    source.off('SIGHUP', onReload);
  };
};
