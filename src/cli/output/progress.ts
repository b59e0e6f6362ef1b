const WIDTH = 30;
const SHOWN_AFTER_MS = 200;
const EVERY_MS = 100;

/** How far long work has come. */
export interface Progress {
  to(done: number): void;
  /** Takes the bar away. */
  end(): void;
}

/** A bar on standard error, for a human at a terminal who waits; for everybody else nothing. */
export const progress = (what: string, total: number): Progress => {
  if (!process.stderr.isTTY || process.env['TERM'] === 'dumb') return { to: () => {}, end: () => {} };
  const started = Date.now();
  let drawn = 0;
  return {
    to(done) {
      const now = Date.now();
      if (now - started < SHOWN_AFTER_MS || now - drawn < EVERY_MS) return;
      drawn = now;
      const full = total === 0 ? WIDTH : Math.round((done / total) * WIDTH);
      process.stderr.write(`\r${what} [${'#'.repeat(full)}${'.'.repeat(WIDTH - full)}] ${done}/${total}`);
    },
    end() {
      if (drawn > 0) process.stderr.write('\r\u001b[2K');
    },
  };
};
