import type { SocketOptions } from 'node:dgram';
import { lookup as lookUp } from 'node:dns';

/**
 * The `lookup` of a UDP socket whose targets are addresses already. Node's own look-up would find
 * that out for each datagram again by two long patterns, and put the sending off to a later turn.
 */
export const addressOf: NonNullable<SocketOptions['lookup']> = (host, options, done) => {
  if (/^[\d.]+$/.test(host)) done(null, host, 4);
  else if (host.includes(':')) done(null, host, 6);
  else lookUp(host, options, done);
};
