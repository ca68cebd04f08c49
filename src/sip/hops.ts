import { isIP } from 'node:net';
import type { Random } from '../platform/random.ts';
import { bareHost, plainAddress } from './addresses.ts';
import { nextHopUri, type Dialog } from './dialog.ts';
import { SIP_TRANSPORTS, type SipTransportName } from './sip.ts';
import { parseSipUri, type SipUri } from './uri.ts';
import type { Hop, Names, ServiceRecord } from './wire.ts';

/**
 * Where requests go (RFC 3263): the first one by the target's URI, later ones by the dialog's.
 * Where the URI names no transport the domain's NAPTR records do (section 4.1); without them UDP
 * and then TCP are tried by their SRV records.
 */

/** The order to call cannot be carried out as it stands; sending it again would not help. */
export class WrongOrder extends Error {}

/** The defaults of RFC 3261 section 19.1.2. */
const DEFAULT_PORT = { udp: 5060, tcp: 5060, tls: 5061 } as const;
const SERVICE = { udp: '_sip._udp', tcp: '_sip._tcp', tls: '_sips._tcp' } as const;
/** The services of RFC 3263 section 4.1 that we speak. */
const POINTER: Readonly<Record<string, SipTransportName>> = {
  'SIP+D2U': 'udp',
  'SIP+D2T': 'tcp',
  'SIPS+D2T': 'tls',
};
/** Servers beyond this are not tried: a call that nobody took so far rings nowhere. */
const HOPS_MAX = 6;

/**
 * The places to send a request for a target to, the best first; the next is for when one cannot
 * be reached.
 * Rejects with `WrongOrder`, or with the error of the look-up. Never an empty list.
 */
export async function findTargets(text: string, names: Names, random: Random): Promise<Hop[]> {
  const uri = parseSipUri(text);
  if (uri === undefined || uri.headers !== '') throw new WrongOrder('The target is not a SIP URI');
  const named = transportOf(uri);
  if (named === 'other') throw new WrongOrder('The transport must be udp, tcp or tls');
  if (uri.port === undefined && isIP(bareHost(uri.host)) === 0) {
    const found = await byServices(uri, await servicesOf(uri, named, names), names, random);
    if (found.length > 0) return found;
  }
  return plainHops(uri, named, names);
}

/** What the URI says of the transport: nothing, one of ours, or one that we do not speak. */
function transportOf(uri: SipUri): SipTransportName | 'other' | undefined {
  const named = uri.parameters.get('transport')?.toLowerCase();
  if (named === undefined) return uri.scheme === 'sips' ? 'tls' : undefined;
  // `sips:…;transport=tcp` is TLS over TCP (RFC 3261 section 26.2.2); UDP has no TLS.
  if (uri.scheme === 'sips') return named === 'udp' ? 'other' : 'tls';
  return SIP_TRANSPORTS.find((name) => name === named) ?? 'other';
}

async function plainHops(
  uri: SipUri,
  named: SipTransportName | undefined,
  names: Names,
): Promise<Hop[]> {
  const transport = named ?? 'udp';
  const port = uri.port ?? DEFAULT_PORT[transport];
  const addresses = await names.addresses(bareHost(uri.host));
  return addresses.slice(0, HOPS_MAX).map((address) => {
    const hop = withName({ transport, address, port }, uri.host);
    return named === undefined ? { ...hop, mayChange: true } : hop;
  });
}

type Service = { transport: SipTransportName; name: string };

/** The SRV names to ask, in order: what NAPTR says, else the usual ones. */
async function servicesOf(
  uri: SipUri,
  named: SipTransportName | undefined,
  names: Names,
): Promise<Service[]> {
  const usual = named === undefined ? (['udp', 'tcp'] as const) : [named];
  const guessed = usual.map((transport) => ({
    transport,
    name: `${SERVICE[transport]}.${uri.host}`,
  }));
  // Section 4.1: a transport in the URI, and `sips:`, decide without NAPTR.
  if (named !== undefined) return guessed;
  const pointers = await names.pointers(uri.host).catch(() => []);
  const found = pointers
    .sort((a, b) => a.order - b.order || a.preference - b.preference)
    .flatMap(({ flags, service, replacement }): Service[] => {
      const transport = POINTER[service.toUpperCase()];
      const usable = flags.toLowerCase() === 's' && transport !== undefined && replacement !== '';
      return usable ? [{ transport, name: replacement }] : [];
    })
    .slice(0, HOPS_MAX);
  return found.length > 0 ? found : guessed;
}

/** RFC 5922 section 7.1: the certificate must bear the domain of the URI, not an SRV target's. */
function withName(hop: Hop, domain: string): Hop {
  return hop.transport === 'tls' ? { ...hop, serverName: bareHost(domain) } : hop;
}

async function byServices(
  uri: SipUri,
  services: readonly Service[],
  names: Names,
  random: Random,
): Promise<Hop[]> {
  for (const { transport, name } of services) {
    const records = await names.services(name);
    // RFC 2782: a lone "." says that the service is decidedly not offered here.
    const usable = records.filter(({ host }) => host !== '' && host !== '.');
    const hops: Hop[] = [];
    for (const { host, port } of inOrder(usable, random).slice(0, HOPS_MAX)) {
      for (const address of await names.addresses(host).catch(() => [])) {
        hops.push(withName({ transport, address, port }, uri.host));
      }
    }
    if (hops.length > 0) return hops.slice(0, HOPS_MAX);
  }
  return [];
}

/** RFC 2782: the lowest priority first; among equals, by chance in proportion to the weight. */
function inOrder(records: readonly ServiceRecord[], random: Random): ServiceRecord[] {
  const left = [...records].sort((a, b) => a.priority - b.priority || a.weight - b.weight);
  const ordered: ServiceRecord[] = [];
  while (left.length > 0) {
    const peers = left.filter(({ priority }) => priority === left[0]?.priority);
    const total = peers.reduce((sum, { weight }) => sum + weight, 0);
    let draw = random.below(total + 1);
    const chosen = peers.findIndex(({ weight }) => (draw -= weight) <= 0);
    ordered.push(...left.splice(Math.max(0, chosen), 1));
  }
  return ordered;
}

/** The next hop of a dialog: at once when no name has to be looked up, else as soon as it is. */
export function findHop(dialog: Dialog, target: Hop, names: Names, use: (hop: Hop) => void): void {
  const uri = parseSipUri(nextHopUri(dialog));
  // Neither is a broken URI a reason to leave the peer without ACK and BYE.
  if (uri === undefined) return use(target);
  const named = transportOf(uri);
  // Without a transport in its Contact, a peer is reached the way that has worked already.
  const transport = named === undefined || named === 'other' ? target.transport : named;
  const port = uri.port ?? DEFAULT_PORT[transport];
  const reach = (address: string): void => {
    // The peer is known by the certificate of this connection; its Contact is often an address.
    const isTarget = transport === 'tls' && address === target.address;
    const open = named === undefined && transport === 'udp' ? { mayChange: true } : {};
    use(isTarget ? target : withName({ transport, address, port, ...open }, uri.host));
  };
  const host = bareHost(uri.host);
  if (isIP(host) !== 0) return reach(plainAddress(host));
  // A name nobody knows: the host that took the INVITE is the best guess left.
  void names.addresses(host).then(
    ([address = target.address]) => reach(address),
    () => use(target),
  );
}
