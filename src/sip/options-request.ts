import { newToken } from './call-requests.ts';
import { askAlone, type LoneParts } from './lone-request.ts';
import type { OptionsOutcome, SipTarget } from './sip.ts';

/**
 * OPTIONS outside a dialog (RFC 3261 section 11): is the target there, and how far away is it?
 * Any final response says that it is, a refusal as well; what that means is the asker's question.
 */
export async function askOptions(
  parts: LoneParts,
  target: SipTarget,
  timeoutMs: number,
): Promise<OptionsOutcome> {
  const { uri } = target;
  const tag = newToken(parts.random);
  let sequence = 0;
  const { status, reason, roundTripMs } = await askAlone(
    parts,
    {
      method: 'OPTIONS',
      uri,
      credentials: target,
      callId: `${newToken(parts.random)}${newToken(parts.random)}`,
      nextSequence: () => (sequence += 1),
      headersFrom: (local) => [
        ['From', `<sip:askfirst@${local.address}>;tag=${tag}`],
        ['To', `<${uri}>`],
        ['Accept', 'application/sdp'],
      ],
    },
    timeoutMs,
  );
  return { status, reason, roundTripMs };
}
