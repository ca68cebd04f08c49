import { lookup, Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { bareHost, plainAddress } from './addresses.ts';
import type { Names } from './wire.ts';

/** A caller waits for the answer, so a server that is silent is given up sooner than usual. */
const LOOKUP_MS = 1500;
const LOOKUP_TRIES = 2;

/**
 * The resolver of the machine, for the families that our sockets can reach. Addresses come by
 * the system's own look-up, so that its hosts file counts; a name without SRV or NAPTR records is
 * no error.
 */
export function systemNames(families: readonly (4 | 6)[]): Names {
  const resolver = new Resolver({ timeout: LOOKUP_MS, tries: LOOKUP_TRIES });
  return {
    addresses: async (host) => {
      const written = bareHost(host);
      const family = isIP(written);
      // Most endpoints are written as addresses: there is nothing to ask for.
      if ((family === 4 || family === 6) && families.includes(family)) {
        return [plainAddress(written)];
      }
      const found = await lookup(written, { all: true, verbatim: true });
      const usable = found.filter(({ family }) => families.includes(family === 6 ? 6 : 4));
      if (usable.length === 0) throw new Error(`${host} has no address that we can reach`);
      return usable.map(({ address }) => plainAddress(address));
    },
    services: async (name) => {
      const records = await resolver.resolveSrv(name).catch(() => []);
      return records.map(({ name: host, port, priority, weight }) => ({
        host,
        port,
        priority,
        weight,
      }));
    },
    pointers: (domain) => resolver.resolveNaptr(domain).catch(() => []),
  };
}
