import { expect, test } from 'vitest';
import type { DecisionEvent } from '../../../src/model/index.ts';
import { createLiveFeed } from '../../../src/observe/index.ts';

const event = { change: 'ban', subject: '203.0.113.7' } as DecisionEvent;

test('every watcher hears every decision, until it leaves', () => {
  const feed = createLiveFeed();
  const heard: string[] = [];
  const leave = feed.subscribe(() => heard.push('first'));
  feed.subscribe(() => heard.push('second'));
  feed.publish(event);
  leave();
  feed.publish(event);
  expect(heard).toEqual(['first', 'second', 'second']);
});

test('a watcher that throws loses its subscription and hurts nobody else', () => {
  const feed = createLiveFeed();
  const heard: string[] = [];
  feed.subscribe(() => {
    heard.push('broken');
    throw new Error('broken');
  });
  feed.subscribe(() => heard.push('sound'));
  feed.publish(event);
  feed.publish(event);
  expect(heard).toEqual(['broken', 'sound', 'sound']);
  expect(feed.subscribers).toBe(1);
});

test('more than 256 watchers are a mistake: the next hears nothing', () => {
  const feed = createLiveFeed();
  let heard = 0;
  for (let index = 0; index < 300; index += 1) feed.subscribe(() => (heard += 1));
  feed.publish(event);
  expect([feed.subscribers, heard]).toEqual([256, 256]);
});
