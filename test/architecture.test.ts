import { readdirSync, readFileSync } from 'node:fs';
import { join, sep } from 'node:path';
import { describe, expect, test } from 'vitest';
import { ERROR_CODES } from '../src/model/index.ts';
import {
  checkCycles,
  checkDoors,
  checkImports,
  checkNames,
  checkRooms,
  checkSizes,
  checkTypes,
} from './architecture/check.ts';

const top = join(import.meta.dirname, '..');

const filesUnder = (folder: string): string[] =>
  readdirSync(join(top, folder), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) =>
      join(entry.parentPath, entry.name)
        .slice(top.length + 1)
        .replaceAll(sep, '/'),
    );

const sources = new Map(
  filesUnder('src')
    .filter((file) => file.endsWith('.ts'))
    .map((file) => [file, readFileSync(join(top, file), 'utf8')]),
);

/** Top level: everything else lives in one of the folders. */
const TOP_LEVEL = new Set(
  'package.json package-lock.json tsconfig.json README.md LICENSE src kamailio opensips packs test node_modules dist coverage'.split(
    ' ',
  ),
);

describe('the house', () => {
  test('imports go one way, rooms are entered by their index.ts', () => {
    expect(checkImports(sources)).toEqual([]);
  });

  test('every room is in the table', () => {
    expect(checkRooms(sources)).toEqual([]);
  });

  test('no file imports itself in a circle', () => {
    expect(checkCycles(sources)).toEqual([]);
  });

  test('files and folders stay small', () => {
    expect(checkSizes(sources)).toEqual([]);
  });

  test('names say the thing', () => {
    expect(checkNames([...filesUnder('src'), ...filesUnder('test')])).toEqual([]);
  });

  test('types are never switched off', () => {
    expect(checkTypes(sources)).toEqual([]);
  });

  test('every room says at its door what it is', () => {
    expect(checkDoors(sources)).toEqual([]);
  });

  test('the top level stays tidy', () => {
    expect(readdirSync(top).filter((name) => !name.startsWith('.') && !TOP_LEVEL.has(name))).toEqual([]);
  });

  test('the lockfile names no registry', () => {
    expect(readFileSync(join(top, 'package-lock.json'), 'utf8')).not.toContain('"resolved"');
  });

  test('every error code is in the README', () => {
    const readme = readFileSync(join(top, 'README.md'), 'utf8');
    expect(Object.keys(ERROR_CODES).filter((code) => !readme.includes(`\`${code}\``))).toEqual([]);
  });
});

const DOOR = '/**\n * What comes in.\n * What goes out.\n */\n';

const house = (files: Record<string, string>): Map<string, string> =>
  new Map(
    Object.entries({ 'src/model/index.ts': DOOR, 'src/model/entry.ts': '', 'src/store/index.ts': DOOR, ...files }),
  );

describe('the checker catches', () => {
  test.each([
    [
      'a room that the table forbids',
      'src/decide/a.ts',
      "import { x } from '../store/index.ts';",
      'decide may import model, not store',
    ],
    [
      'a window instead of the door',
      'src/store/a.ts',
      "import { x } from '../model/entry.ts';",
      'enter the room by src/model/index.ts',
    ],
    [
      'a type import',
      'src/model/a.ts',
      "import type { X } from '../store/index.ts';",
      'model may import no other room, not store',
    ],
    ['an import over several lines', 'src/model/a.ts', "import {\n  x,\n  y,\n} from '../store/index.ts';", 'a.ts:4 '],
    ['a re-export', 'src/model/a.ts', "export * from '../store/index.ts';", 'not store'],
    ['a dynamic import', 'src/model/a.ts', "const x = await import('../store/index.ts');", 'not store'],
    ['a side-effect import', 'src/model/a.ts', "import '../store/index.ts';", 'not store'],
    ['a worker of another room', 'src/model/a.ts', "new URL('../store/index.ts', import.meta.url)", 'not store'],
    ['app from elsewhere', 'src/cli/commands/ban.ts', "import { x } from '../../app.ts';", 'only src/main.ts and'],
    ['a file that is not there', 'src/model/a.ts', "import { x } from './b.js';", 'no such file'],
    ['a builtin without node:', 'src/store/a.ts', "import fs from 'fs';", 'write node:fs'],
    ['I/O in a pure room', 'src/detect/a.ts', "import { readFile } from 'node:fs/promises';", 'detect does no I/O'],
    ['tests in the product', 'src/store/a.ts', "import x from '../../test/x.ts';", 'nothing outside of src'],
  ])('%s', (_, file, text, message) => {
    expect(checkImports(house({ [file]: text, 'src/app.ts': '' })).join('\n')).toContain(message);
  });

  test('nothing in a sound house', () => {
    const sound = house({
      'src/store/rows.ts': "// import { x } from '../decide/index.ts';\nimport { x } from '../model/index.ts';",
      'src/app.ts': "import { x } from './store/index.ts';",
      'src/cli/index.ts': DOOR,
      'src/cli/commands/run.ts': "const { run } = await import('../../app.ts');",
      'src/main.ts': "import { main } from './cli/index.ts';",
      'src/decide/index.ts':
        DOOR + "// any address\nconst many: unknown = 'as any';\nimport { createHash } from 'node:crypto';",
    });
    const checks = [checkImports, checkRooms, checkCycles, checkSizes, checkTypes, checkDoors];
    expect(checks.flatMap((check) => check(sound))).toEqual([]);
    expect(checkNames(sound.keys())).toEqual([]);
  });

  test('a cycle, by its path', () => {
    const files = { 'src/store/a.ts': "import './b.ts';", 'src/store/b.ts': "import { a } from './a.ts';" };
    expect(checkCycles(house(files))).toEqual(['import cycle: src/store/a.ts → src/store/b.ts → src/store/a.ts']);
  });

  test('a large file, a full folder, an unknown room', () => {
    const crowd = Object.fromEntries(Array.from({ length: 14 }, (_, index) => [`src/store/f${index}.ts`, '']));
    expect(checkSizes(house({ 'src/model/long.ts': '\n'.repeat(401), ...crowd }))).toEqual([
      'src/model/long.ts: 401 lines, at most 400; split it by idea',
      'src/store: 15 files, at most 14; make a folder for some',
    ]);
    expect(checkRooms(house({ 'src/attic/index.ts': DOOR })).join()).toContain('src/attic: not in the table');
  });

  test.each(['src/store/utils.ts', 'src/helpers/index.ts', 'src/store/ban-manager.ts', 'test/misc/a.ts'])(
    '%s',
    (file) => {
      expect(checkNames([file])).toHaveLength(1);
    },
  );

  test.each([
    'const x: any = 1;',
    'const x = y as any;',
    'const x: Map<string, any> = y;',
    'const f = (x: any[]) => x;',
    '// @ts-ignore',
  ])('%s', (text) => {
    expect(checkTypes(house({ 'src/store/a.ts': text }))).toHaveLength(1);
  });

  test('a room without a word at the door', () => {
    expect(checkDoors(house({ 'src/store/index.ts': 'export {};' })).join()).toContain(
      'src/store/index.ts:1 opens with',
    );
    expect(checkDoors(house({ 'src/notify/mail.ts': '' })).join()).toContain('src/notify/index.ts is missing');
  });
});
