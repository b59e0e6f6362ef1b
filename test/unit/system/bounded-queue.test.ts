import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { BoundedQueue } from '../../../src/system/index.ts';

describe('BoundedQueue', () => {
  it('gives items back in order and refuses what does not fit', () => {
    const queue = new BoundedQueue<number>(2);
    expect([queue.push(1), queue.push(2), queue.push(3)]).toEqual([true, true, false]);
    expect([queue.size, queue.dropped]).toEqual([2, 1]);
    expect([queue.shift(), queue.shift(), queue.shift()]).toEqual([1, 2, undefined]);
  });

  it('shows the oldest items until they are discarded', () => {
    const queue = new BoundedQueue<number>(3);
    for (const item of [1, 2, 3]) queue.push(item);
    expect(queue.first(2)).toEqual([1, 2]);
    expect(queue.first(9)).toEqual([1, 2, 3]);
    queue.discard(2);
    queue.push(4);
    expect(queue.first(9)).toEqual([3, 4]);
    queue.discard(9);
    expect([queue.size, queue.dropped]).toEqual([0, 0]);
  });

  it('refuses a capacity that is none', () => {
    for (const capacity of [0, -1, 1.5, Number.NaN]) expect(() => new BoundedQueue(capacity)).toThrow(RangeError);
  });

  it('behaves like an array that is never longer than its capacity', () => {
    const command = fc.oneof(fc.integer(), fc.constant('shift' as const), fc.constant('discard' as const));
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 5 }), fc.array(command, { maxLength: 60 }), (capacity, commands) => {
        const queue = new BoundedQueue<number>(capacity);
        const model: number[] = [];
        let dropped = 0;
        for (const step of commands) {
          if (step === 'shift') expect(queue.shift()).toBe(model.shift());
          else if (step === 'discard') {
            queue.discard(2);
            model.splice(0, 2);
          } else if (model.length < capacity) {
            expect(queue.push(step)).toBe(true);
            model.push(step);
          } else {
            expect(queue.push(step)).toBe(false);
            dropped++;
          }
          expect(queue.first(capacity)).toEqual(model);
          expect([queue.size, queue.dropped]).toEqual([model.length, dropped]);
        }
      }),
    );
  });
});
