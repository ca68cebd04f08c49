import type { Random } from '../platform/random.ts';
import type { EndpointTarget, Failover, FailoverCause } from './endpoint.ts';

/**
 * Which target of an endpoint is called first, and when the next one is. Pure. Until the bridge
 * nothing of an endpoint reaches the customer, so any target before that may be exchanged unheard.
 */

/**
 * The targets in the order to call them: by priority, among equal ones by chance in the share of
 * their weights (RFC 2782). Those that are down come last, in the same order: OPTIONS may be wrong.
 */
export function orderTargets<T extends Pick<EndpointTarget, 'uri' | 'priority' | 'weight'>>(
  targets: readonly T[],
  isDown: (uri: string) => boolean,
  random: Random,
): T[] {
  const ordered = [...Map.groupBy(targets, ({ priority }) => priority)]
    .sort(([one], [other]) => one - other)
    .flatMap(([, equals]) => byWeight(equals, random));
  const down = ordered.filter(({ uri }) => isDown(uri));
  return down.length === 0 ? ordered : [...ordered.filter((t) => !down.includes(t)), ...down];
}

function byWeight<T extends { weight: number }>(targets: readonly T[], random: Random): T[] {
  // Those without weight stand first and so have a small chance (RFC 2782).
  const left = [...targets].sort((one, other) => Number(one.weight > 0) - Number(other.weight > 0));
  const drawn: T[] = [];
  while (left.length > 1) {
    const total = left.reduce((sum, { weight }) => sum + weight, 0);
    let mark = random.below(total + 1);
    const at = left.findIndex(({ weight }) => (mark -= weight) <= 0);
    drawn.push(...left.splice(Math.max(0, at), 1));
  }
  return [...drawn, ...left];
}

/** What a SIP status means for the choice of the next target; null: no other one would help. */
export function failoverCause(status: number): FailoverCause | null {
  // 503 is also what our user agent says when it could not send at all.
  if (status === 503) return 'unreachable';
  if (status >= 500 && status < 600) return 'server_error';
  // 480 is a desk that is not registered just now: nobody answers there.
  if (status === 408 || status === 480) return 'no_answer';
  if (status === 486 || status === 600) return 'busy';
  // RFC 3261 section 21.6.2, RFC 8197 and RFC 8688: somebody said no to this very call.
  return status === 603 || status === 607 || status === 608 ? 'declined' : null;
}

export type TriedSoFar = { status: number; tried: number; elapsedMs: number };

/** Whether one more target may be called after this answer of the last one. */
export function mayTryNext(failover: Failover, { status, tried, elapsedMs }: TriedSoFar): boolean {
  const cause = failoverCause(status);
  if (cause === null || !failover.on.includes(cause)) return false;
  return tried < failover.maxTargets && elapsedMs < failover.withinMs;
}
