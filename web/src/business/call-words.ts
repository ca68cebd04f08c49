import type { CallOutcome, CallStatus, CallView } from '../../../src/http/api-types.ts';
import type { Tone } from '../ui/chip.tsx';
import { inWords, talkTime } from '../ui/format.ts';

const LIVE_LABELS: Record<Exclude<CallStatus, 'ended'>, string> = {
  queued: 'Queued',
  dialing: 'Dialling',
  initiated: 'Dialled',
  ringing: 'Ringing',
  answered: 'Answered',
  bridged: 'Talking',
};

const OUTCOMES: Record<CallOutcome, { label: string; tone: Tone }> = {
  completed: { label: 'Completed', tone: 'good' },
  no_answer: { label: 'No answer', tone: 'warn' },
  busy: { label: 'Busy', tone: 'warn' },
  rejected: { label: 'Declined', tone: 'warn' },
  canceled: { label: 'Cancelled', tone: 'plain' },
  failed: { label: 'Failed', tone: 'bad' },
  blocked: { label: 'Not placed', tone: 'bad' },
};

export function isLive(call: CallView): boolean {
  return call.status !== 'ended';
}

/** A word and a tint for where the call stands or how it ended. */
export function callChip(call: CallView): { label: string; tone: Tone } {
  if (call.status !== 'ended') return { label: LIVE_LABELS[call.status], tone: 'accent' };
  return call.outcome === null ? { label: 'Ended', tone: 'plain' } : OUTCOMES[call.outcome];
}

/** How long customer and endpoint could talk, in milliseconds; null before that. */
export function talkMs(call: CallView, now: number): number | null {
  const from = call.bridgedAt ?? call.answeredAt;
  if (from === null) return null;
  return (call.endedAt === null ? now : Date.parse(call.endedAt)) - Date.parse(from);
}

/** What happened or is happening, in one plain sentence. */
export function verdict(call: CallView, name: string): string {
  switch (call.status) {
    case 'queued':
      return `The call to ${name} waits for its turn.`;
    case 'dialing':
      return `WhatsApp is being asked to ring ${name}.`;
    case 'initiated':
      return `WhatsApp took the call; the phone of ${name} does not ring yet.`;
    case 'ringing':
      return `The phone of ${name} is ringing.`;
    case 'answered':
      return `${name} picked up; the endpoint is being connected.`;
    case 'bridged':
      return bridgedVerdict(call, name);
    case 'ended':
      return endedVerdict(call, name);
  }
}

function bridgedVerdict(call: CallView, name: string): string {
  if (call.transfers.some(({ endedAt }) => endedAt === null)) {
    return `${name} hears music while another endpoint is called.`;
  }
  const isHeld = call.holds.some(({ to }) => to === null);
  return isHeld ? `${name} is on hold.` : `${name} and the endpoint are talking.`;
}

function endedVerdict(call: CallView, name: string): string {
  switch (call.outcome) {
    case 'completed':
      return `${name} talked for ${talkTime(talkMs(call, 0) ?? 0)}. ${whoEnded(call, name)}`;
    case 'no_answer':
      return `${name} did not pick up.`;
    case 'busy':
      return `${name} was busy.`;
    case 'rejected':
      return `${name} declined the call.`;
    case 'canceled':
      return `The call was cancelled before ${name} picked up${because(call)}.`;
    case 'failed':
      return `The call to ${name} failed${because(call)}.`;
    case 'blocked':
      return `${name} was not called${because(call)}.`;
    case null:
      return `The call to ${name} is over.`;
  }
}

function whoEnded(call: CallView, name: string): string {
  switch (call.endedBy) {
    case 'customer':
      return `${name} hung up.`;
    case 'business':
      return 'The business hung up.';
    case 'endpoint':
      return 'The endpoint hung up.';
    case 'platform':
      return `Askfirst ended it${because(call)}.`;
    case null:
      return '';
  }
}

function because(call: CallView): string {
  return call.endReason === null ? '' : `: ${inWords(call.endReason).toLowerCase()}`;
}
