/**
 * Fifteen kinds of datagrams that mean harm or nothing, for each protocol that shares a media port
 * (RFC 7983 tells them apart by the first byte).
 */
export const JUNK: readonly (readonly [name: string, datagram: Buffer])[] = [
  ['nothing', Buffer.alloc(0)],
  ['one byte', Buffer.of(0)],
  ['random bytes', filled(200, 0x5a)],
  ['9,000 bytes', filled(9000, 0x80)],
  ['a ClientHello', Buffer.from(`16fefd${'00'.repeat(8)}00360100002a${'00'.repeat(50)}`, 'hex')],
  ['a DTLS length that lies', Buffer.from(`16fefd${'00'.repeat(8)}ffff01`, 'hex')],
  ['a cut DTLS header', Buffer.from('16fefd0000', 'hex')],
  ['a fatal alert', Buffer.from(`15fefd${'00'.repeat(8)}00020228`, 'hex')],
  ['a ChangeCipherSpec', Buffer.from(`14fefd${'00'.repeat(8)}000101`, 'hex')],
  ['a short epoch-1 record', Buffer.from('17fefd000100000000000500050102030405', 'hex')],
  ['STUN without integrity', stun(0x0001, '')],
  ['STUN with USE-CANDIDATE and a false tag', stun(0x0001, `0025000000080014${'ab'.repeat(20)}`)],
  ['a STUN length that lies', Buffer.from(`0001ffff2112a442${'11'.repeat(12)}`, 'hex')],
  ['RTP with fifteen CSRCs that are not there', Buffer.from(`8f6f0001${'00'.repeat(8)}`, 'hex')],
  ['RTCP whose length lies', Buffer.from(`80c8ffff${'00'.repeat(8)}`, 'hex')],
];

function filled(bytes: number, first: number): Buffer {
  return Buffer.from(Array.from({ length: bytes }, (_, at) => (first + at * 37) & 0xff));
}

/** A binding request with these attributes (RFC 8489 section 5). */
function stun(type: number, attributes: string): Buffer {
  const body = Buffer.from(attributes, 'hex');
  const header = Buffer.alloc(20, 7);
  header.writeUInt16BE(type, 0);
  header.writeUInt16BE(body.length, 2);
  header.writeUInt32BE(0x2112_a442, 4);
  return Buffer.concat([header, body]);
}
