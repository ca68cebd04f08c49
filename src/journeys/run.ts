import type { Attribution } from '../attribution/attribution.ts';
import type { ExperimentId } from '../experiments/experiment.ts';
import type {
  AccountId,
  CallId,
  ContactId,
  Id,
  LineId,
  PermissionRequestId,
} from '../platform/ids.ts';

/** One person on their way through a journey. Plain data: it is stored as JSON. */
export type JourneyId = Id<'journey'>;
export type RunId = Id<'journeyRun'>;

/** What a run does at its step. */
export type RunPhase =
  /** It has not come to its first step yet. */
  | { kind: 'start'; at: number }
  /** The step begins at that instant, or is tried again. */
  | { kind: 'due'; at: number }
  /** An answer is awaited until then. */
  | { kind: 'answer'; until: number }
  /** A call is under way; its end goes on. */
  | { kind: 'call'; callId: CallId }
  /** What the step does is being written; never stored, for it is over in the same unit. */
  | { kind: 'doing' }
  | { kind: 'ended' };

export type Run = {
  id: RunId;
  accountId: AccountId;
  contactId: ContactId;
  lineId: LineId;
  journeyId: JourneyId;
  /** The version that the run began with; it keeps it to its end. */
  version: number;
  attribution: Attribution;
  /** The API key that started it, for its caps; null where nobody's did. */
  keyId: string | null;
  /** Of its calls, in place of the journey's own; null or absent leaves that. */
  priority?: number | null;
  /** Whose arms change its questions and calls; null or absent where no experiment's do. */
  experimentId?: ExperimentId | null;
  /** The instant that was chosen for the question of this step, where its arm names an hour. */
  askAt?: number | null;
  /** The name of the step it is at. */
  step: string;
  phase: RunPhase;
  /** When it came to the step. */
  reachedAt: number;
  variables: Readonly<Record<string, string>>;
  /** The last question and the last call. */
  requestId: PermissionRequestId | null;
  callId: CallId | null;
  /** What the last question was about, as the person read it. */
  purpose: string | null;
  /** What the step itself says it is about, where its arm words it otherwise. */
  meant?: string | null;
  /** Of the last call. */
  outcome: string | null;
  reason: string | null;
  result: string | null;
  visits: number;
  trail: readonly TrailStep[];
  startedAt: number;
  endedAt: number | null;
  /** How it ended: a step's own word, or a code of ours. */
  end: string | null;
};

/** A step that was taken. */
export type TrailStep = {
  step: string;
  do: string;
  at: number;
  outcome: string;
  /** Where it led. */
  next: string;
};
