import type { ListenerMode } from './media.ts';

/** One leg of a call, as far as it matters for who hears whom. */
export type Party = {
  /** `idle`: an endpoint leg that was opened and is neither in use nor listening. */
  role: 'customer' | 'agent' | 'idle' | ListenerMode;
  /** It is not muted, and its SDP did not say that it will not send. */
  speaks: boolean;
  /** Its SDP did not say that it will not listen. */
  listens: boolean;
};

/**
 * Whether one party of a bridged call hears another one:
 *
 *     heard by →    customer   agent   listeners
 *     customer         ·         ✓        ✓
 *     agent            ✓         ·        ✓
 *     listen           –         –        –
 *     whisper          –         ✓        –
 *     barge            ✓         ✓        ✓
 *
 * Hold takes the customer out of it, both ways, and leaves the others among themselves.
 */
export function hears(listener: Party, speaker: Party, held: boolean): boolean {
  if (!speaker.speaks || !listener.listens) return false;
  if (held && (listener.role === 'customer' || speaker.role === 'customer')) return false;
  if (listener.role === 'idle') return false;
  switch (speaker.role) {
    case 'customer':
    case 'agent':
    case 'barge':
      return true;
    case 'whisper':
      return listener.role === 'agent';
    case 'listen':
    case 'idle':
      return false;
  }
}
