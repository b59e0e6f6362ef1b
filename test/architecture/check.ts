import { isBuiltin } from 'node:module';
import { posix } from 'node:path';
import { cyclesOf, importsOf, withoutComments, withoutStrings, type Import } from './imports.ts';
import {
  EMPTY_NAMES,
  IO_MODULES,
  MAX_FILE_LINES,
  MAX_FOLDER_FILES,
  MAY_IMPORT_APP,
  ROOMS,
  ROOMS_WITHOUT_IO,
  ROOM_COMMENT_LINES,
} from './rooms.ts';

/** Source files by path from the top, `src/model/entry.ts` → text. */
export type Sources = ReadonlyMap<string, string>;

/** `src/detect/flood.ts` is in `detect`, `src/app.ts` is the room `app`. */
const roomOf = (file: string): string => (file.split('/')[1] ?? '').replace(/\.ts$/, '');

/** The door of a room: `src/model/index.ts`, or the file itself for `src/app.ts`. */
const isDoor = (file: string): boolean => file.split('/').length === 2 || /^src\/[^/]+\/index\.ts$/.test(file);

const linesOf = (text: string): string[] => text.replace(/\n$/, '').split('\n');

const checkTarget = (each: Import, target: string, sources: Sources): string | undefined => {
  if (!target.startsWith('src/')) return 'src imports nothing outside of src';
  if (!sources.has(target)) return 'no such file (imports name the .ts file)';
  const [from, to] = [roomOf(each.file), roomOf(target)];
  if (from === to) return undefined;
  const isAppStarter = to === 'app' && MAY_IMPORT_APP.test(each.file);
  if (to === 'app' && !isAppStarter) return 'only src/main.ts and src/cli/commands/run* may import app';
  if (to === 'main') return 'nothing imports main';
  const allowed = ROOMS[from];
  if (allowed !== undefined && allowed !== 'everything' && !allowed.includes(to) && !isAppStarter) {
    return `${from} may import ${allowed.length === 0 ? 'no other room' : allowed.join(', ')}, not ${to}`;
  }
  return isDoor(target) ? undefined : `enter the room by src/${to}/index.ts`;
};

const checkPackage = ({ file, specifier }: Import): string | undefined => {
  if (!isBuiltin(specifier)) return undefined;
  if (!specifier.startsWith('node:')) return `write node:${specifier}`;
  const name = specifier.slice('node:'.length).split('/')[0] ?? '';
  const room = roomOf(file);
  return ROOMS_WITHOUT_IO.includes(room) && IO_MODULES.includes(name) ? `${room} does no I/O` : undefined;
};

export const checkImports = (sources: Sources): string[] =>
  [...sources]
    .flatMap(([file, text]) => importsOf(file, text))
    .flatMap((each) => {
      const rule = each.target === undefined ? checkPackage(each) : checkTarget(each, each.target, sources);
      return rule === undefined ? [] : [`${each.file}:${each.line} imports '${each.specifier}': ${rule}`];
    });

export const checkRooms = (sources: Sources): string[] => {
  const rooms = new Set([...sources.keys()].map(roomOf));
  return [...rooms]
    .filter((room) => ROOMS[room] === undefined)
    .map(
      (room) =>
        `src/${room}: not in the table of rooms, add it to test/architecture/rooms.ts and say what it may import`,
    );
};

export const checkCycles = (sources: Sources): string[] =>
  cyclesOf([...sources].flatMap(([file, text]) => importsOf(file, text))).map(
    (cycle) => `import cycle: ${cycle.join(' → ')}`,
  );

export const checkSizes = (sources: Sources): string[] => {
  const folders = Map.groupBy(sources.keys(), (file) => posix.dirname(file));
  return [
    ...[...sources]
      .filter(([, text]) => linesOf(text).length > MAX_FILE_LINES)
      .map(([file, text]) => `${file}: ${linesOf(text).length} lines, at most ${MAX_FILE_LINES}; split it by idea`),
    ...[...folders]
      .filter(([, files]) => files.length > MAX_FOLDER_FILES)
      .map(
        ([folder, files]) => `${folder}: ${files.length} files, at most ${MAX_FOLDER_FILES}; make a folder for some`,
      ),
  ];
};

export const checkNames = (files: Iterable<string>): string[] =>
  [...files]
    .filter((file) => file.split('/').some((part) => EMPTY_NAMES.test(part)))
    .map((file) => `${file}: the name says nothing; name the thing it holds`);

const FORBIDDEN_TYPES = [/[:<,|&(=]\s*any\b(?!\s*(?:[(:.]|=>))/, /\b(?:as|extends|satisfies)\s+any\b/];

export const checkTypes = (sources: Sources): string[] =>
  [...sources].flatMap(([file, text]) => {
    const code = linesOf(withoutStrings(withoutComments(text)));
    return linesOf(text).flatMap((line, index) => {
      const found: string[] = [];
      if (/@ts-(?:ignore|nocheck|expect-error)/.test(line)) found.push('the type checker must not be silenced');
      if (FORBIDDEN_TYPES.some((pattern) => pattern.test(code[index] ?? ''))) {
        found.push("no 'any': use unknown and narrow it");
      }
      return found.map((rule) => `${file}:${index + 1} ${rule}: ${line.trim()}`);
    });
  });

/** Lines of text in the comment with which a file opens; 0 without one. */
const openingCommentLines = (text: string): number => {
  const block = /^\/\*\*?([\s\S]*?)\*\//.exec(text)?.[1] ?? /^(?:\/\/[^\n]*\n)+/.exec(text)?.[0] ?? '';
  return block.split('\n').filter((line) => /[^\s*/]/.test(line)).length;
};

export const checkDoors = (sources: Sources): string[] => {
  const { least, most } = ROOM_COMMENT_LINES;
  const rooms = new Set([...sources.keys()].filter((file) => file.split('/').length > 2).map(roomOf));
  return [...rooms].flatMap((room) => {
    const door = `src/${room}/index.ts`;
    const text = sources.get(door);
    if (text === undefined) return [`${door} is missing: a room is entered by its index.ts`];
    const lines = openingCommentLines(text);
    if (lines >= least && lines <= most) return [];
    return [
      `${door}:1 opens with a comment of ${lines} lines, not ${least} to ${most}: what comes in, what goes out, what it must never do`,
    ];
  });
};
