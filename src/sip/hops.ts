import { wrongInvite } from './call-requests.ts';
import { nextHopUri, type Dialog } from './dialog.ts';
import type { InviteRequest } from './sip.ts';
import { parseSipUri } from './uri.ts';
import type { Hop, LookUp } from './wire.ts';

/** Where requests go: the first one by the target's URI, later ones by the dialog's. */

/** The order to call cannot be carried out as it stands; sending it again would not help. */
export class WrongOrder extends Error {}

/** The default of RFC 3261 section 19.1.2. SRV records are not asked for. */
const SIP_PORT = 5060;

/** Rejects with `WrongOrder`, or with the error of the look-up. */
export async function findTarget(request: InviteRequest, lookUp: LookUp): Promise<Hop> {
  const wrong = wrongInvite(request);
  if (wrong !== undefined) throw new WrongOrder(wrong);
  const uri = parseSipUri(request.target.uri);
  if (uri === undefined || uri.headers !== '') throw new WrongOrder('The target is not a SIP URI');
  const transport = uri.parameters.get('transport')?.toLowerCase() ?? 'udp';
  if (uri.scheme === 'sips' || (transport !== 'udp' && transport !== 'tcp')) {
    throw new WrongOrder('Only UDP and TCP are available');
  }
  return { transport, address: await lookUp(uri.host), port: uri.port ?? SIP_PORT };
}

/** The next hop of a dialog: at once when no name has to be looked up, else as soon as it is. */
export function findHop(
  dialog: Dialog,
  target: Hop,
  lookUp: LookUp,
  use: (hop: Hop) => void,
): void {
  const uri = parseSipUri(nextHopUri(dialog));
  // Neither is a broken URI a reason to leave the peer without ACK and BYE.
  if (uri === undefined) return use(target);
  const named = uri.parameters.get('transport')?.toLowerCase();
  // Without a transport in its Contact, a peer is reached the way that has worked already.
  const transport = named === 'tcp' || named === 'udp' ? named : target.transport;
  const port = uri.port ?? SIP_PORT;
  if (/^[\d.]+$/.test(uri.host)) return use({ transport, address: uri.host, port });
  void lookUp(uri.host).then(
    (address) => use({ transport, address, port }),
    // A name nobody knows: the host that took the INVITE is the best guess left.
    () => use(target),
  );
}
