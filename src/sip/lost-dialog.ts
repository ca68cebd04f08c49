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

export function saveDialog(dialog: Dialog, hop: Hop): SavedDialog {
  const { remoteSequence: _, ...rest } = dialog;
  return { ...rest, hop };
}

/** Sends the BYE of a saved dialog; false when the record is none of ours. */
export function endLostDialog(
  parts: Omit<DialogSenderParts, 'credentials' | 'target' | 'onOpen' | 'onDone'>,
  record: SavedDialog,
  target: SipTarget,
  reason: string | undefined,
): boolean {
  const read = saved.safeParse(record);
  if (!read.success) return false;
  const { hop, ...dialog } = read.data;
  const sender = new DialogSender({
    ...parts,
    credentials: new DigestCredentials(target, parts.random),
    target: hop,
    onOpen: () => undefined,
    onDone: () => undefined,
  });
  sender.bye({ ...dialog, remoteSequence: undefined }, reason);
  return true;
}
