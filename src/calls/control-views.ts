import type {
  CallActionView,
  CallView,
  HoldView,
  ListenerView,
  TransferView,
} from '../http/api-types.ts';
import { isoTime, isoTimeOrNull } from '../platform/clock.ts';
import type { CallState } from './call.ts';
import { NO_CONTROL, type CallOrder } from './call-control.ts';
import { END_REASONS } from './end-codes.ts';
import { ORDER_CODES, type OrderCode } from './order-codes.ts';
import { orderAt } from './order-life.ts';

/** How the call was led, for its view and its CDR. What the end cut off has no time of its own. */
export function controlViews(
  state: CallState,
): Pick<CallView, 'muted' | 'holds' | 'transfers' | 'listeners'> {
  const { muted, holds, transfers, legs } = state.facts.control ?? NO_CONTROL;
  return {
    muted: [...muted],
    holds: holds.map(({ by, from, to }): HoldView => ({
      by,
      from: isoTime(from),
      to: isoTimeOrNull(to),
    })),
    transfers: transfers.map(
      ({ mode, by, fromEndpointId, toEndpointId, startedAt, endedAt, outcome, legId }) =>
        ({
          mode,
          by,
          fromEndpointId,
          toEndpointId,
          startedAt: isoTime(startedAt),
          endedAt: isoTimeOrNull(endedAt),
          outcome,
          answered:
            outcome === 'transferred' ||
            legs.some((leg) => leg.legId === legId && leg.answeredAt !== null),
        }) satisfies TransferView,
    ),
    listeners: legs.flatMap(({ endpointId, mode, listensFrom, endedAt }): ListenerView[] =>
      mode === null || listensFrom === null
        ? []
        : [{ endpointId, mode, from: isoTime(listensFrom), to: isoTimeOrNull(endedAt) }],
    ),
  };
}

/** Milliseconds on hold; holds of several that overlap count once. */
export function holdMs({ facts }: CallState, endedAt: number): number {
  const holds = [...(facts.control?.holds ?? [])].sort((a, b) => a.from - b.from);
  let total = 0;
  let covered = 0;
  for (const { from, to } of holds) {
    const until = Math.min(to ?? endedAt, endedAt);
    total += Math.max(0, until - Math.max(from, covered));
    covered = Math.max(covered, until);
  }
  return total;
}

/** An order as the API shows it. Digits are never shown again. */
export function actionView(order: CallOrder, now: number): CallActionView {
  const { id, wish, status, code, askedAt, takenAt, finishedAt } = orderAt(order, now);
  const told = code === null ? null : explained(code);
  return {
    id,
    action: wish.action,
    status,
    code,
    message: told === null ? null : `${told.title}.`,
    fix: told?.fix ?? null,
    leg: 'leg' in wish ? wish.leg : null,
    mode: 'mode' in wish ? wish.mode : null,
    endpointId: 'endpointId' in wish ? wish.endpointId : null,
    sound: 'sound' in wish ? wish.sound : null,
    askedAt: isoTime(askedAt),
    takenAt: isoTimeOrNull(takenAt),
    finishedAt: isoTimeOrNull(finishedAt),
  };
}

function explained(code: string): { title: string; fix: string } {
  const own = ORDER_CODES[code as OrderCode] as { title: string; fix: string } | undefined;
  return own ?? END_REASONS[code] ?? ORDER_CODES.order_failed;
}
