import { z } from 'zod';
import type { Dialog } from './dialog.ts';
import { DialogSender, type DialogSenderParts } from './dialog-sender.ts';
import { DigestCredentials } from './digest.ts';
import { SIP_TRANSPORTS, type SavedDialog, type SipTarget } from './sip.ts';
import type { Hop } from './wire.ts';

/**
 * Dialogs that outlive their process: what a BYE needs is kept with the call, so that a gateway
 * that was killed does not leave the endpoint talking to nobody.
 */
const saved = z.object({
  hop: z.object({
    transport: z.enum(SIP_TRANSPORTS),
    address: z.string(),
    port: z.number(),
    serverName: z.string().optional(),
  }),
  callId: z.string(),
  localTag: z.string(),
  remoteTag: z.string(),
  localAddress: z.string(),
  remoteAddress: z.string(),
  remoteTarget: z.string(),
  routes: z.array(z.string()),
  localSequence: z.number(),
});

/** More requests than this no call of ours sends. */
const UNSAVED_MAX = 10_000;

export function saveDialog(dialog: Dialog, hop: Hop): SavedDialog {
  const { callId, localTag, remoteTag, localAddress, remoteAddress } = dialog;
  const { remoteTarget, routes, localSequence } = dialog;
  return {
    hop,
    callId,
    localTag,
    remoteTag,
    localAddress,
    remoteAddress,
    remoteTarget,
    routes,
    localSequence,
  };
}

/** Sends the BYE of a saved dialog; false when the record is none of ours. */
export function endLostDialog(
  parts: Omit<
    DialogSenderParts,
    'credentials' | 'contactUser' | 'target' | 'nextSequence' | 'onOpen' | 'onDone'
  >,
  record: SavedDialog,
  target: SipTarget,
  reason: string | undefined,
): boolean {
  const read = saved.safeParse(record);
  if (!read.success) return false;
  const { hop, ...dialog } = read.data;
  // The dead run may have used numbers that were not saved (refreshes, transfers, keys); RFC 3261
  // section 12.2.2 allows a gap.
  let sequence = dialog.localSequence + UNSAVED_MAX;
  const sender = new DialogSender({
    ...parts,
    credentials: new DigestCredentials(target, parts.random),
    contactUser: '',
    target: hop,
    nextSequence: () => (sequence += 1),
    onOpen: () => undefined,
    onDone: () => undefined,
  });
  sender.bye({ ...dialog, remoteSequence: undefined }, reason);
  return true;
}
