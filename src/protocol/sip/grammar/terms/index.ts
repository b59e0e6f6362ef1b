/**
 * The terms of which header values are made: character classes, white space, words, hosts, URIs, parameters, start-lines
 * (RFC 3261 25.1, with RFC 5954 for IPv6 and RFC 3966 for tel). Each is a scanner over a range of a latin1 text;
 * none allocates, none looks at a character more than a fixed number of times, none throws.
 */
export * from './bounds.ts';
export * from './chars.ts';
export * from './host.ts';
export * from './parameters.ts';
export * from './space.ts';
export * from './start-line.ts';
export * from './tel.ts';
export * from './uri.ts';
export * from './words.ts';
