/**
 * The promise's result, or the error of `late` when it takes longer than `ms`. The work itself goes on; its late result
 * or failure is ignored. Keeps the process alive while it waits.
 */
export const withDeadline = <T>(promise: Promise<T>, ms: number, late: () => Error): Promise<T> =>
  new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(late()), ms);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
