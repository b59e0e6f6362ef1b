/**
 * The other end of the hook, as small as it can be: allows everything, knows nothing. Beside it one sees what is the hook's
 * cost, and what is companion's. Arguments: host, ask port, tell port, control port, downward secret.
 */
import { createSocket } from 'node:dgram';

const [host = '', ask = '', tell = '', control = '', secret = ''] = process.argv.slice(2);
const socket = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
const ear = createSocket({ type: 'udp4', recvBufferSize: 4 * 1024 * 1024 });
const send = (text: string): void => socket.send(text.padEnd(48), Number(control), host);

// C1 <secret> A <node> <seq> <time> <tindex> <tlabel> …
socket.on('message', (frame) => {
  const fields = frame.toString('latin1', 0, 400).split(' ', 8);
  send(`CV1 ${secret} V ${fields[6]} ${fields[7]} allow `);
});
ear.on('message', () => undefined);
socket.bind(Number(ask), host);
ear.bind(Number(tell), host);
setInterval(() => send(`CV1 ${secret} H `), 400);
process.once('SIGTERM', () => process.exit());
