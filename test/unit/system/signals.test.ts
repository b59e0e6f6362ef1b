import { EventEmitter } from 'node:events';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { handleSignals } from '../../../src/system/index.ts';

const source = new EventEmitter();
const exit = vi.fn<(code: number) => void>();
const report = vi.fn<(error: unknown) => void>();
const reload = vi.fn<() => Promise<void>>();
const stop = vi.fn<() => Promise<void>>();
let off = (): void => undefined;

beforeEach(() => {
  vi.useFakeTimers();
  for (const mock of [exit, report, reload, stop]) mock.mockReset();
  reload.mockResolvedValue();
  stop.mockResolvedValue();
  off = handleSignals({ stop, reload, report, exit, source, deadlineMs: 1_000 });
});
afterEach(() => {
  off();
  vi.useRealTimers();
});

const turn = (ms = 0): Promise<unknown> => vi.advanceTimersByTimeAsync(ms);

describe('handleSignals', () => {
  it.each(['SIGTERM', 'SIGINT'])('%s stops once and exits with 0', async (signal) => {
    source.emit(signal, signal);
    await turn(5_000);
    expect(stop.mock.calls).toEqual([[signal]]);
    expect(exit.mock.calls).toEqual([[0]]);
    expect(report).not.toHaveBeenCalled();
  });

  it('exits with 1 when stopping fails, even at once', async () => {
    stop.mockImplementation(() => {
      throw new Error('broken');
    });
    source.emit('SIGTERM', 'SIGTERM');
    await turn(5_000);
    expect(exit.mock.calls).toEqual([[1]]);
    expect(report).toHaveBeenCalledTimes(1);
  });

  it('exits with 1 when stopping takes too long', async () => {
    stop.mockReturnValue(new Promise(() => undefined));
    source.emit('SIGTERM', 'SIGTERM');
    await turn(999);
    expect(exit).not.toHaveBeenCalled();
    await turn(1);
    expect(exit.mock.calls).toEqual([[1]]);
    expect(String(report.mock.calls[0]?.[0])).toContain('1000 ms');
  });

  it('exits at once at the second signal', async () => {
    stop.mockReturnValue(new Promise(() => undefined));
    source.emit('SIGTERM', 'SIGTERM');
    source.emit('SIGINT', 'SIGINT');
    expect(exit.mock.calls).toEqual([[1]]);
    await turn();
  });

  it('reloads one at a time, and once more for what came in between', async () => {
    let finish = (): void => undefined;
    reload.mockImplementationOnce(() => new Promise((done) => (finish = done)));
    for (let count = 0; count < 5; count++) source.emit('SIGHUP', 'SIGHUP');
    await turn();
    expect(reload).toHaveBeenCalledTimes(1);
    finish();
    await turn();
    expect(reload).toHaveBeenCalledTimes(2);
  });

  it('survives a reload that fails', async () => {
    reload.mockRejectedValueOnce(new Error('bad file'));
    source.emit('SIGHUP', 'SIGHUP');
    await turn();
    source.emit('SIGHUP', 'SIGHUP');
    await turn();
    expect([reload.mock.calls.length, report.mock.calls.length, exit.mock.calls.length]).toEqual([2, 1, 0]);
  });

  it('takes its handlers off', () => {
    off();
    expect(source.eventNames()).toEqual([]);
  });
});
