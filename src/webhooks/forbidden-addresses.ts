import { BlockList, isIP } from 'node:net';

/**
 * Addresses that a URL given by a stranger must never reach: every special-purpose range of the
 * IANA registries (RFC 6890 and its updates), which hold our own host, private networks, cloud
 * metadata services and the tunnels that lead back to them.
 */
const FORBIDDEN_IPV4: ReadonlyArray<readonly [string, number]> = [
  ['0.0.0.0', 8], // this network
  ['10.0.0.0', 8], // private
  ['100.64.0.0', 10], // carrier-grade NAT; also a metadata service
  ['127.0.0.0', 8], // loopback
  ['168.63.129.16', 32], // a cloud's host agent on a public address
  ['169.254.0.0', 16], // link-local, metadata services
  ['172.16.0.0', 12], // private
  ['192.0.0.0', 24], // IETF protocol assignments
  ['192.0.2.0', 24], // documentation
  ['192.31.196.0', 24], // AS112
  ['192.52.193.0', 24], // AMT
  ['192.88.99.0', 24], // 6to4 relay
  ['192.168.0.0', 16], // private
  ['192.175.48.0', 24], // AS112
  ['198.18.0.0', 15], // benchmarking
  ['198.51.100.0', 24], // documentation
  ['203.0.113.0', 24], // documentation
  ['224.0.0.0', 4], // multicast
  ['240.0.0.0', 4], // reserved and broadcast
];

const FORBIDDEN_IPV6: ReadonlyArray<readonly [string, number]> = [
  ['::', 96], // unspecified, loopback, IPv4-compatible
  ['64:ff9b::', 96], // NAT64
  ['64:ff9b:1::', 48], // local NAT64
  ['100::', 64], // discard
  ['100:0:0:1::', 64], // dummy prefix
  ['2001::', 23], // protocol assignments, with Teredo and ORCHID
  ['2001:db8::', 32], // documentation
  ['2002::', 16], // 6to4
  ['2620:4f:8000::', 48], // AS112
  ['3fff::', 20], // documentation
  ['5f00::', 16], // segment routing
  ['fc00::', 7], // unique local, also a metadata service
  ['fe80::', 10], // link-local
  ['fec0::', 10], // site-local of old
  ['ff00::', 8], // multicast
];

const blocked = new BlockList();
for (const [network, prefix] of FORBIDDEN_IPV4) blocked.addSubnet(network, prefix, 'ipv4');
for (const [network, prefix] of FORBIDDEN_IPV6) blocked.addSubnet(network, prefix, 'ipv6');

/** True for an address that is not on the public internet, or not an address at all. */
export function isForbiddenAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 0) return true;
  if (family === 4) return blocked.check(address, 'ipv4');
  // A zone id never belongs in a public address. IPv4-mapped ones are held against the IPv4
  // ranges by BlockList itself.
  return address.includes('%') || blocked.check(address, 'ipv6');
}

/** Ports of services that a POST must not be smuggled into; mail, databases, shells. */
export const FORBIDDEN_PORTS: ReadonlySet<number> = new Set([
  2049, 2375, 2376, 2379, 2380, 3306, 3389, 4444, 5060, 5061, 5432, 5672, 5900, 5984, 6000, 6379,
  6443, 6666, 6667, 8500, 9042, 9092, 9200, 9300, 10250, 11211, 27017,
]);
