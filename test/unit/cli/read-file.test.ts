import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readText } from '../../../src/cli/exchange/read-file.ts';

let folder = '';
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'read-'));
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const reading = async (bytes: Buffer): Promise<string> => {
  const file = join(folder, 'list.csv');
  writeFileSync(file, bytes);
  return readText(file);
};

test('what spreadsheets write is text: UTF-8, UTF-16 with its mark, and what Windows calls ANSI', async () => {
  const text = '203.0.113.7;Büro\r\n';
  expect(await reading(Buffer.from(text, 'utf8'))).toBe(text);
  expect(await reading(Buffer.from(text, 'latin1'))).toBe(text);
  const utf16 = Buffer.from(`\ufeff${text}`, 'utf16le');
  expect(await reading(utf16)).toBe(text);
  expect(await reading(Buffer.from(utf16).swap16())).toBe(text);
});

test('what is none is refused, and what is wrong with a file is said in words', async () => {
  await expect(reading(Buffer.from([0x50, 0x4b, 3, 4, 0, 0, 0xff]))).rejects.toThrow('it is no text');
  await expect(readText(join(folder, 'nothing'))).rejects.toThrow('there is no such file');
  await expect(readText(folder)).rejects.toThrow('it is a directory');
});
