import { join, relative } from 'node:path';

/** What an operator needs to know to go on. */
export interface Places {
  readonly socket: string;
  readonly state: string;
  readonly secretFile: string;
  readonly http: string | undefined;
}

/** The files for Kamailio lie beside `src` and `dist`. */
const KAMAILIO_FILES = join(import.meta.dirname, '../../../kamailio');

/** How to call this program again, exactly: the Node that runs it, and its own file. */
const ownCommand = (): string => {
  const near = (path: string): string => {
    const short = relative(process.cwd(), path);
    return short.startsWith('..') ? path : short;
  };
  return `${near(process.execPath)} ${near(process.argv[1] ?? 'dist/main.js')}`;
};

/** Printed by `companion run` while no SIP server answers: the way from here to a protected server. */
export const nextSteps = ({ socket, secretFile, http }: Places): string =>
  `
companion runs. No SIP server is connected yet: nothing is protected.

See it work first, on a Kamailio of its own:
  npm run setup            (root; Debian's kamailio, sipp and sipvicious, nothing of them is started)
  npm run demo

Then protect yours:
  cp -r ${KAMAILIO_FILES}/companion.cfg ${KAMAILIO_FILES}/companion /etc/kamailio/
  install -o root -g kamailio -m 640 ${secretFile} /etc/kamailio/companion-secret.cfg
  edit /etc/kamailio/kamailio.cfg as ${KAMAILIO_FILES}/README.md shows, and restart Kamailio

Ask it:
  ${ownCommand()} status --socket ${socket}
${http === undefined ? '' : `  curl ${http}/healthz\n`}`;
