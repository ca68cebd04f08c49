import { isIP, isIPv4, isIPv6, SocketAddress } from 'node:net';

/** IP addresses as SIP writes them, and as sockets do. IPv6 wears brackets in a URI only. */

/** The address in the host part of a URI, or the name as it is. */
export function bareHost(host: string): string {
  return host.startsWith('[') && host.endsWith(']') ? host.slice(1, -1) : host;
}

/** The host part of a URI for an address. */
export function uriHost(address: string): string {
  return isSix(address) ? `[${address}]` : address;
}

/** As `isIPv6`, but cheap for all others: its pattern is long, and these run for each message. */
export function isSix(address: string): boolean {
  return address.includes(':') && isIPv6(address);
}

/**
 * One spelling per address, so that addresses can be compared: IPv6 in its short form, IPv4 that
 * came in over an IPv6 socket as IPv4.
 */
export function plainAddress(address: string): string {
  if (!address.includes(':')) return address;
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address)?.[1];
  if (mapped !== undefined && isIPv4(mapped)) return mapped;
  if (!isIPv6(address) || address.includes('%')) return address;
  return new SocketAddress({ address, family: 'ipv6' }).address;
}

/** What a socket of that kind has to be given to reach an address. */
export function socketAddress(address: string, sixSocket: boolean): string {
  return sixSocket && isIPv4(address) ? `::ffff:${address}` : address;
}

/** Which families can be reached from where the sockets are bound; `::` reaches both. */
export function familiesFrom(bindAddress: string): readonly (4 | 6)[] {
  if (bindAddress === '::') return [4, 6];
  return isIP(bindAddress) === 6 ? [6] : [4];
}
