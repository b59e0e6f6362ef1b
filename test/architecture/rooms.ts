/** Which rooms a room may import; itself is always allowed. A new room needs a line here. */
export const ROOMS: Readonly<Record<string, readonly string[] | 'everything'>> = {
  model: [],
  protocol: ['model'],
  places: [],
  system: ['model'],
  config: ['model'],
  receive: ['protocol', 'system', 'model'],
  enrich: ['protocol', 'model'],
  feeds: ['enrich', 'system', 'protocol', 'model'],
  elsewhere: ['feeds', 'judging', 'operate', 'model'],
  detect: ['model'],
  decide: ['model'],
  operate: ['decide', 'enrich', 'model'],
  judging: ['config', 'protocol', 'enrich', 'detect', 'decide', 'operate', 'model'],
  rehearse: ['judging', 'protocol', 'decide', 'operate', 'model'],
  cases: ['rehearse', 'judging', 'enrich', 'detect', 'config', 'protocol', 'model'],
  enforce: ['protocol', 'system', 'model'],
  notify: ['system', 'model'],
  store: ['system', 'model'],
  cluster: ['system', 'model'],
  observe: ['system', 'model'],
  admin: ['protocol', 'model'],
  cli: ['admin', 'protocol', 'model', 'places', 'system', 'config', 'judging', 'rehearse', 'cases'],
  lab: ['system', 'model', 'protocol'],
  app: 'everything',
  main: ['cli', 'system', 'model'],
};

/** Besides the table: who may start the daemon. */
export const MAY_IMPORT_APP = /^src\/(?:main\.ts|cli\/commands\/run[^/]*(?:\/.*)?)$/;

/** Rooms that judge or translate: the same input gives the same output, so nothing in them may reach outside. */
export const ROOMS_WITHOUT_IO: readonly string[] = ['model', 'protocol', 'detect', 'decide'];

/** Modules of Node.js by which code reaches outside of the process. */
export const IO_MODULES: readonly string[] = [
  'child_process',
  'cluster',
  'dgram',
  'dns',
  'fs',
  'http',
  'http2',
  'https',
  'net',
  'os',
  'process',
  'readline',
  'sqlite',
  'timers',
  'tls',
  'worker_threads',
];

export const MAX_FILE_LINES = 400;
export const MAX_FOLDER_FILES = 14;
export const ROOM_COMMENT_LINES = { least: 2, most: 6 } as const;

/** Names that say nothing about the thing. */
export const EMPTY_NAMES = /(?:^|[-.])(?:utils?|helpers?|commons?|managers?|misc)(?=$|[-.])/i;
