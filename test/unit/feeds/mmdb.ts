import { parseCidr } from '../../../src/model/index.ts';

type Value = string | number | { readonly [key: string]: Value };

export interface Mmdb {
  readonly type: string;
  readonly builtAt: number;
  readonly recordSize?: 24 | 28 | 32;
  readonly ipVersion?: 4 | 6;
  readonly entries: readonly (readonly [cidr: string, data: Value])[];
}

const head = (type: number, size: number): Buffer => {
  const extended = type > 7;
  const bytes = size < 29 ? [] : size < 285 ? [size - 29] : [(size - 285) >> 8, (size - 285) & 255];
  const marked = size < 29 ? size : size < 285 ? 29 : 30;
  return Buffer.from([(extended ? 0 : type << 5) | marked, ...(extended ? [type - 7] : []), ...bytes]);
};

const encode = (value: Value): Buffer => {
  if (typeof value === 'string') return Buffer.concat([head(2, Buffer.byteLength(value)), Buffer.from(value)]);
  if (typeof value === 'number') {
    const hex = value.toString(16);
    const bytes = value === 0 ? Buffer.alloc(0) : Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
    return Buffer.concat([head(bytes.length > 4 ? 9 : 6, bytes.length), bytes]);
  }
  const entries = Object.entries(value);
  return Buffer.concat([head(7, entries.length), ...entries.flatMap(([key, inner]) => [encode(key), encode(inner)])]);
};

interface Node {
  readonly children: [Node | number | undefined, Node | number | undefined];
  index: number;
}

const record = (left: number, right: number, size: 24 | 28 | 32): Buffer => {
  if (size === 32) {
    const bytes = Buffer.alloc(8);
    bytes.writeUInt32BE(left, 0);
    bytes.writeUInt32BE(right, 4);
    return bytes;
  }
  const bytes = Buffer.alloc(size / 4);
  bytes.writeUIntBE(left & 0xff_ffff, 0, 3);
  bytes.writeUIntBE(right & 0xff_ffff, bytes.length - 3, 3);
  if (size === 28) bytes[3] = ((left >>> 24) << 4) | (right >>> 24);
  return bytes;
};

/** A small MaxMind DB, written as its specification says: search tree, 16 zero bytes, data, marker, metadata. */
export const encodeMmdb = ({ type, builtAt, recordSize = 24, ipVersion = 6, entries }: Mmdb): Buffer => {
  const root: Node = { children: [undefined, undefined], index: 0 };
  const datas: Buffer[] = [];
  let dataBytes = 0;
  for (const [text, data] of entries) {
    const cidr = parseCidr(text);
    const bytes = cidr.family === 4 && ipVersion === 6 ? [...Array(12).fill(0), ...cidr.bytes] : cidr.bytes;
    const prefix = cidr.family === 4 && ipVersion === 6 ? cidr.prefix + 96 : cidr.prefix;
    const encoded = encode(data);
    let at = root;
    for (let depth = 0; depth < prefix; depth += 1) {
      const bit = ((bytes[depth >> 3] ?? 0) >> (7 - (depth & 7))) & 1;
      if (depth === prefix - 1) at.children[bit] = dataBytes;
      else {
        const next = at.children[bit];
        if (typeof next === 'object') at = next;
        else {
          const made: Node = { children: [undefined, undefined], index: 0 };
          at.children[bit] = made;
          at = made;
        }
      }
    }
    datas.push(encoded);
    dataBytes += encoded.length;
  }
  const nodes: Node[] = [];
  const number = (node: Node): void => {
    node.index = nodes.length;
    nodes.push(node);
    for (const child of node.children) if (typeof child === 'object') number(child);
  };
  number(root);
  const pointer = (child: Node | number | undefined): number =>
    child === undefined ? nodes.length : typeof child === 'number' ? nodes.length + 16 + child : child.index;
  const tree = nodes.map(({ children: [left, right] }) => record(pointer(left), pointer(right), recordSize));
  const metadata = encode({
    binary_format_major_version: 2,
    binary_format_minor_version: 0,
    build_epoch: Math.floor(builtAt / 1_000),
    database_type: type,
    ip_version: ipVersion,
    node_count: nodes.length,
    record_size: recordSize,
  });
  return Buffer.concat([
    ...tree,
    Buffer.alloc(16),
    ...datas,
    Buffer.from('\u00ab\u00cd\u00efMaxMind.com', 'latin1'),
    metadata,
  ]);
};

export const country = (iso: string): Value => ({ country: { iso_code: iso, names: { en: iso } } });
export const asn = (number: number, name: string): Value => ({
  autonomous_system_number: number,
  autonomous_system_organization: name,
});
